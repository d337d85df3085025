"""The pieces of the screen: each paints lines it is handed, and only those that changed."""
