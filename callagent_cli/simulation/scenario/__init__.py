"""Scenario files: their format, how they are read, and what is checked before one runs."""
