"""The voice platform's twin: dials, conversations and their list."""
