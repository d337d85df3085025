"""The command line: options, arguments and help of each command, and nothing heavier."""
