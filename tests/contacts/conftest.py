"""A folder for command lines."""

from pathlib import Path

import pytest
from contact_commands import Desk


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    """Return a desk in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path, capsys)
