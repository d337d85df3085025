"""The carrier that serves the twins over real HTTP on loopback, and the faults it can play."""
