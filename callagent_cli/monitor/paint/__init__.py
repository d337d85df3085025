"""The view state put into toned text: pure functions, free of any screen library."""
