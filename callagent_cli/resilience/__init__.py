"""Breaker, retry, gate, budget, slots, guard, health checker: blind to providers and calls."""
