"""`python main.py` is `callagent simulate elevenlabs-503`; with arguments it is `callagent`."""

import sys

from callagent_cli.__main__ import main

if __name__ == "__main__":  # The processes of a sweep import this file.
    main(sys.argv[1:] or ["simulate", "elevenlabs-503"])
