"""Faults: what happens to a request, decided from the timeline, the time and a seed."""
