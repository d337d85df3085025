"""Files and folders that nobody else may read, whatever the umask says."""

import os
from pathlib import Path
from typing import Final

FOLDER_MODE: Final = 0o700


def private(path: str, flags: int) -> int:
    """Open a file that only its owner may read; an `opener` for `open`."""
    return os.open(path, flags, 0o600)


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter; one that is there stays as it is."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
