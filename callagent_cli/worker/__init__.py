"""Claims due calls and runs their steps: lanes, parking, drain, recovery after a crash."""
