"""What is written to the two streams, and read from the command line."""
