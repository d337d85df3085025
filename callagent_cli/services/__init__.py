"""One file a provider: its requests, and the map from its answers to outcomes."""
