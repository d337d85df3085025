"""Journal, alerts and incidents, channels, Google Sheet: listeners that no call waits for."""
