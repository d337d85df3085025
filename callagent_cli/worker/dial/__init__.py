"""Everything around the one request that may ring a phone, and the proof of what became of it."""
