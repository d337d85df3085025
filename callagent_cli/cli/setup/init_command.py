"""What `callagent init` does: write what a campaign begins with, and overwrite nothing."""

from pathlib import Path
from typing import Final

from callagent_cli.cli.place.private import make_private_folder, private
from callagent_cli.cli.setup.init_texts import CONTACTS, SETTINGS
from callagent_cli.cli.text.output import standard_output
from callagent_cli.cli.text.topics import ENVIRONMENT
from callagent_cli.errors import ExitCode, UsageError
from callagent_cli.simulation.scenario.loader import library_folder

SCENARIOS: Final = ("elevenlabs-503", "total-network-outage")
"""The scenarios that are copied: one to see the ladder, one to see everything fail."""

_NO_SECRETS: Final = frozenset({"NO_COLOR", "FORCE_COLOR", "TERM"})


def write_files(folder: Path, *, force: bool) -> int:
    """Write the files; raises `UsageError` when one is there already, and writes none then."""
    texts = _texts()
    present = [name for name in texts if (folder / name).exists()]
    if present and not force:
        listed = ", ".join(f"`{folder / name}`" for name in present)
        raise UsageError(f"already there: {listed}", hint="add `--force` to overwrite")
    output = standard_output()
    for name, text in texts.items():
        _write(folder / name, text)
        output.line(f"wrote {folder / name}")
    output.line("Next: `callagent run contacts.csv` calls made-up people in the sandbox")
    return int(ExitCode.DONE)


def _texts() -> dict[str, str]:
    texts = {"callagent.yaml": SETTINGS, ".env.example": _dotenv(), "contacts.csv": CONTACTS}
    for name in SCENARIOS:
        path = library_folder() / f"{name}.yaml"
        texts[f"scenarios/{name}.yaml"] = path.read_text(encoding="utf-8")
    return texts


def _dotenv() -> str:
    lines = [
        "# Copy this to `.env`, fill in what you use, and keep it out of version control.",
        "# A variable of the environment wins over a line here.",
    ]
    for name, meaning in ENVIRONMENT.items():
        if name not in _NO_SECRETS:
            lines += ["", f"# {meaning}", f"#{name}="]
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        make_private_folder(path.parent)
        with open(path, "w", encoding="utf-8", opener=private) as file:
            file.write(text)
    except OSError as error:
        message = f"cannot write `{path}`: {error.strerror}"
        raise UsageError(message, hint="name a folder that you may write to") from error
