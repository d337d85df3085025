"""Many worlds at once: one scenario under many seeds or settings, on all cores."""
