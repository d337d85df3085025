"""A phone cell read into one certain number, or refused with the reason."""
