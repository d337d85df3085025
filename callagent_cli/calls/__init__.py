"""What a call is: states, steps, the dial ledger's rules, dial rules, windows, degradation."""
