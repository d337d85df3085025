"""`python main.py` is `callagent simulate elevenlabs-503`; with arguments it is `callagent`."""

import sys

from callagent_cli.__main__ import main

main(sys.argv[1:] or ["simulate", "elevenlabs-503"])
