"""`.env` as people and their editors write it."""

import json
from pathlib import Path

import pytest

from callagent_cli.cli.place.dotenv import read_dotenv
from callagent_cli.reporting.gspread_writer import read_account
from callagent_cli.settings import Sheet

ACCOUNT = {"private_key": "-----BEGIN KEY-----\nMIIabcdef\n-----END KEY-----\n"}


def _read(folder: Path, content: bytes) -> dict[str, str]:
    path = folder / ".env"
    path.write_bytes(content)
    return read_dotenv(path)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"\xef\xbb\xbfA=1\n", "1"),
        (b'A="say \\"x\\""\n', 'say "x"'),
        (b'A="one\\ntwo"\r\n', "one\ntwo"),
        (b'A="C:\\\\new"\n', "C:\\new"),
        (b'A="50\\% \\d"\n', "50\\% \\d"),
        (b"A='one\\ntwo' # kept as it is\n", "one\\ntwo"),
        (b"A=one\\ntwo\n", "one\\ntwo"),
    ],
)
def test_a_value_means_what_its_quotes_say(tmp_path: Path, content: bytes, value: str) -> None:
    """Double quotes know escapes, single quotes and none do not; Windows' first mark is none."""
    assert _read(tmp_path, content) == {"A": value}


@pytest.mark.parametrize("backslashes", [False, True])
def test_a_service_account_may_stand_in_double_quotes(tmp_path: Path, *, backslashes: bool) -> None:
    """Whether only its quotes were escaped or its backslashes as well, its key has its lines."""
    text = json.dumps(ACCOUNT)
    if backslashes:
        text = text.replace("\\", "\\\\")
    text = text.replace('"', '\\"')
    environ = _read(tmp_path, f'GOOGLE_SERVICE_ACCOUNT_JSON="{text}"\n'.encode())

    assert read_account(Sheet(), environ) == ACCOUNT
