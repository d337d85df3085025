"""Virtual time: a loop whose clock jumps to the next timer, and what runs or cuts it."""
