"""README, help and bindings are the same list of keys."""

import re
from pathlib import Path
from typing import Final

from callagent_cli.monitor.keys import KEYS, bindings
from callagent_cli.monitor.paint.glyphs import glyphs
from callagent_cli.monitor.widgets.key_list import Help

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_lists_the_keys_as_they_are() -> None:
    """The README's table of keys is exactly the table that the bindings are made from."""
    rows = [f"| `{key.shown}` | {key.does} |" for key in KEYS]
    table = README.partition("| key | does |\n|---|---|\n")[2].partition("\n\n")[0]

    assert table.splitlines() == rows


def test_the_help_lists_every_binding() -> None:
    """Each binding has a line in the help that says what it does."""
    listing = Help(glyphs(ascii_only=False)).listing("")

    assert [binding.description for binding in bindings()] == [key.does for key in KEYS]
    assert [key.does for key in KEYS if key.does not in listing] == []


def test_the_palette_offers_what_the_keys_do() -> None:
    """Every key but the movements is a command of the palette."""
    offered = {
        entry.does for entry in Help(glyphs(ascii_only=False), commands=True).found("") if entry.key
    }

    wanted = {key.does for key in KEYS if key.group != "Move" and key.action != "command_palette"}
    assert offered == wanted


def test_the_readme_shows_pictures_that_exist() -> None:
    """Each picture of the README is there, and asks no other host for anything."""
    names = re.findall(r"!\[[^\]]*\]\(docs/([^)]*)\)", README)

    assert names
    for name in names:
        picture = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert picture.startswith("<svg")
        assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")
        assert "elevenlabs" in picture
