"""Where callagent runs: what `--version -v` adds, for a report of a problem."""

import platform
import sys
from pathlib import Path


def surroundings() -> list[str]:
    """Return Python, platform, the place of installation, and the settings file that applies."""
    settings = Path("callagent.yaml")
    applies = str(settings.resolve()) if settings.is_file() else "none: the sandbox applies"
    return [
        f"Python {platform.python_version()} ({sys.executable})",
        f"platform {platform.platform()}",
        f"installed in {Path(__file__).parents[3]}",
        f"settings {applies}",
    ]
