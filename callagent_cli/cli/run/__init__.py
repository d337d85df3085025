"""`callagent run`: from the contacts file to the last line."""
