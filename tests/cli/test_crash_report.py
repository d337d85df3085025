"""A crash report tells where, and no secret and no phone number."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.cli.place.workplace import workplace
from callagent_cli.cli.text import known_secrets
from callagent_cli.cli.text.crash import crash_report, redacted, write_crash_report

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def _refuse(secret: str, number: str) -> NoReturn:
    local = f"{secret} as a local variable"
    raise ValueError(f"{number} refused with {secret[: len(local)]}")


def _crash(secret: str, number: str) -> ValueError:
    with pytest.raises(ValueError, match="refused") as caught:
        _refuse(secret, number)
    return caught.value


def test_a_report_holds_no_secret_and_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of a service and a phone number in message and command line are cut out."""
    monkeypatch.setenv("ELEVENLABS_API_KEY", "not-so-secret-1234")
    error = _crash("not-so-secret-1234", "+12125550147")

    text = crash_report(error, ["run", "--to", "+44 20 7946 0107"], AT)

    assert "not-so-secret-1234" not in text
    assert "2125550147" not in text
    assert "7946 0107" not in text
    assert "…147 refused with ***" in text
    assert "callagent run --to …107" in text


def test_a_report_shows_the_place_but_no_local_variable() -> None:
    """The traceback names the function; what its variables hold does not appear."""
    text = crash_report(_crash("swordfish", "a number"), [], AT)

    assert "in _refuse" in text
    assert "swordfish as a local variable" not in text


def test_two_crashes_at_once_make_two_reports(tmp_path: Path) -> None:
    """Reports never overwrite each other."""
    error = _crash("x", "y")
    paths = {write_crash_report(error, [], tmp_path / "state") for _ in range(2)}

    assert len(paths) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abc.def-ghi", "Authorization: ***"),
        ("sk-proj_0123456789abcdef", "***"),
        ("https://anna:swordfish@example.org/", "https://***@example.org/"),
        ("(212) 555-0123 x", "(…123 x"),
        ("the person is +12125550123.", "the person is …123."),
        ("+12125550123x45", "…123x45"),
        ("to_12125550123_failed", "to_…123_failed"),
        ("call_0123456789abcdef", "call_0123456789abcdef"),
        ("line 12345, in f", "line 12345, in f"),
        ("2026-01-05T09:00:00", "2026-01-05T09:00:00"),
    ],
)
def test_the_shapes_of_secrets_are_known(text: str, expected: str) -> None:
    """Authorization headers, keys, passwords in addresses and phone numbers are recognized."""
    assert redacted(text, {}) == expected


SLACK = "https://hooks.slack.com/services/T01234567/B01234567/abcdefghijklmnopqrstuvwx"
ACCOUNT = """{"private_key": "-----BEGIN KEY-----\\nMIIabcdef\\n-----END KEY-----\\n"}"""


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SLACK_WEBHOOK_URL", SLACK, SLACK),
        ("SLACK_WEBHOOK_URL", SLACK, "abcdefghijklmnopqrstuvwx"),
        ("CALLAGENT_APPRISE_URLS", "tgram://123456789:AAbbcc1dd/-100", "AAbbcc1dd"),
        ("CALLAGENT_APPRISE_URLS", "json://a.test mailto://u:hunter@b.test", "hunter"),
        ("CALLAGENT_WEBHOOK_SECRET", "whsec_MfKQrTwjUPDIL old", "MfKQrTwjUPDIL"),
        ("GOOGLE_SERVICE_ACCOUNT_JSON", ACCOUNT, "MIIabcdef"),
    ],
)
def test_a_part_that_opens_the_door_alone_is_a_secret(name: str, value: str, said: str) -> None:
    """A token of an address, a line of a key, a signing secret without its prefix."""
    assert redacted(f"boom {said} end", {name: value}) == "boom *** end"


def test_secrets_that_only_the_settings_name_are_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the settings are read: a file, a variable of any name, the path of the heartbeat."""
    monkeypatch.setattr(known_secrets, "_in_use", [])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "voice.secret").write_text("file-swordfish\n", encoding="utf-8")
    (tmp_path / "callagent.yaml").write_text(
        """
services:
  elevenlabs: {api_key: {file: voice.secret}}
  llm: {api_key: {env: MY_MODEL}}
  crm: {token: {file: lost.secret}}
alerts: {heartbeat_url: "https://ping.test/0f9a1b2c-3d4e-5f60-7182-93a4b5c6d7e8"}
""",
        encoding="utf-8",
    )
    environ = {"MY_MODEL": "env-swordfish"}
    workplace(None, environ)
    said = "file-swordfish env-swordfish 0f9a1b2c-3d4e-5f60-7182-93a4b5c6d7e8"

    assert redacted(said, environ) == "*** *** ***"


@given(
    secret=st.text(st.characters(codec="ascii", exclude_categories=["C", "Z"]), min_size=4),
    before=st.text(),
    after=st.text(),
)
def test_a_named_secret_never_survives(secret: str, before: str, after: str) -> None:
    """Wherever the value of a secret variable stands, it is gone afterwards."""
    text = redacted(f"{before} {secret} {after}", {"HUBSPOT_TOKEN": secret})

    assert secret not in text.replace("***", " ")
