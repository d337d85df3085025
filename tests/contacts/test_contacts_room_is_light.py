"""The door of the room costs nothing until a file is read."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_importing_the_reader_loads_no_library() -> None:
    """Commands that read no contacts do not pay for phonenumbers or openpyxl."""
    code = (
        "import sys, callagent_cli.contacts.reader as door;"
        "print(sorted({'phonenumbers', 'openpyxl'} & set(sys.modules)), door.__all__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[] ['file_sha256', 'read_people']"
