"""Judges a finished world: the events of all its runs against the twins' ledger."""
