"""Twins, faults, scenarios, virtual time and the judge; no door to a real service."""
