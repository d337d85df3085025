"""The view state that events fold into, and the screen that paints it."""
