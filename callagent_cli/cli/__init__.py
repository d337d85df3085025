"""One file a command: parse, wire, print, exit code."""
