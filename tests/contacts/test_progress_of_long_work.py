"""Whoever waits for an export or a long list sees on a terminal that it goes on."""

import time
from itertools import count
from pathlib import Path

import pytest
from contact_commands import Desk

from callagent_cli.calls.model import Call, Contact
from callagent_cli.cli.contacts import progress
from callagent_cli.cli.text import diagnostics
from callagent_cli.store.port import Campaign
from callagent_cli.store.sqlite_store import SqliteStore

ROWS = 4


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make standard error a terminal; return the lines shown there.

    A second goes by at each look at the clock, and each item is counted.
    """
    lines: list[str] = []
    clock = count(100)
    monkeypatch.setattr(progress, "_COUNTED_EVERY", 1)
    monkeypatch.setattr(diagnostics, "to_a_terminal", lambda: True)
    monkeypatch.setattr(diagnostics, "moving", lines.append)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    return lines


def _campaign(folder: Path) -> None:
    store = SqliteStore.open(folder / ".callagent/sandbox.db")
    store.save_campaign(
        Campaign(name="spring", source="c.csv", source_sha256="x:y", created_utc_s=1.0)
    )
    store.add_calls(
        Call(
            id=f"call_{line}",
            campaign="spring",
            contact=Contact(line=line, number=f"+1212555010{line}"),
        )
        for line in range(ROWS)
    )
    store.close()


@pytest.mark.parametrize("output", [(), ("--output", "out.csv")])
def test_an_export_shows_how_many_contacts_were_written(
    desk: Desk, shown: list[str], output: tuple[str, ...]
) -> None:
    """Into a pipe as into a file; the line is taken away in the end."""
    _campaign(desk.folder)

    assert desk.say("export", *output).code == 0
    assert shown == ["2 contacts written", "3 contacts written", "4 contacts written", ""]


def test_a_list_shows_how_many_of_its_rows_were_read_and_stored(
    desk: Desk, shown: list[str]
) -> None:
    """`contacts suppress --file` reads each row before it stores any."""
    numbers = "".join(f"+1212555010{line}\n" for line in range(ROWS))
    name = desk.write(f"phone\n{numbers}")

    assert desk.say("contacts", "suppress", "--file", name).code == 0
    read = [f"{number} rows read" for number in (2, 3, 4)]
    stored = [f"{number} numbers stored" for number in (2, 3, 4)]
    assert shown == [*read, "", *stored, ""]


def test_no_progress_is_written_where_nobody_looks(
    desk: Desk, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pipe there is nothing to overwrite."""
    _campaign(desk.folder)
    name = desk.write("phone\n+12125550100\n")
    monkeypatch.setattr(diagnostics, "to_a_terminal", lambda: False)

    desk.say("export")
    desk.say("contacts", "suppress", "--file", name)
    assert shown == []
