"""`callagent alerts` and `incidents`, and the alert of a worker that was lost."""
