"""What a worker keeps in the store beside its calls, for others and for the next worker."""
