"""The steps around the dial, and what they share with it."""
