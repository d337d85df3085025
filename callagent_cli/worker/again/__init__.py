"""How a call that stands still goes on: after a crash, by a requeue, by a person's word."""
