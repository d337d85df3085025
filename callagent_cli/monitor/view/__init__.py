"""The parts of the view state: bounded folds of events, free of any screen library."""
