"""Random worlds: made from a seed, tried, and made small when an invariant breaks."""
