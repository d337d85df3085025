"""A world on record: everything that happened, in order, to be read again."""
