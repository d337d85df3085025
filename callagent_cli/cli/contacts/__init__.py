"""Contacts files on the command line: read, checked, imported, and who must not be called."""
