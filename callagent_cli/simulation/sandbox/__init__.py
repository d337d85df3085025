"""The sandbox: the twins behind real HTTP on loopback, in a process of its own if wanted."""
