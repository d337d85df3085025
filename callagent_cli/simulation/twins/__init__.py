"""Pretended providers: pure state machines that are told the time, and the ledger they keep."""
