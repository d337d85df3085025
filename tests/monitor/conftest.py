"""A terminal that is the same everywhere: no colors, themes or animations from outside."""

from asyncio import sleep

import pytest

TURNS = 100
"""Turns of the loop in which whatever one key sets off comes to its end."""


async def _settle(_min_sleep: float = 0) -> None:
    """Let all that a key sets off be done."""
    for _ in range(TURNS):
        await sleep(0)


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what changes how Textual paints."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TEXTUAL_THEME", "TEXTUAL_PRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual waits 40 ms at each key; here a pause after it waits for the paint, and that does."""
    monkeypatch.setattr("textual.app.wait_for_idle", _settle)
