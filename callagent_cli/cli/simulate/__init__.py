"""`callagent simulate`, `explore` and `scenarios`: rehearsals on the command line."""
