"""What one turn of the worker decides: who is next, when to look again, whether it is over."""
