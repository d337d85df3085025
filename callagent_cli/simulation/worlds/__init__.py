"""Worlds: the real worker against the twins, in virtual time or over loopback sockets."""
