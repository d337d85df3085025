"""`config`, `init`, `doctor`, `alerts test` and `incidents`, as they are typed."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from threaded_server import Answer, Asked, answering

from callagent_cli.cli.app import exit_code_of
from callagent_cli.cli.place.dotenv import apply_dotenv, read_dotenv
from callagent_cli.errors import SettingsError

KEY = "sk_live_0123456789abcdefXYZ"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that the commands run in; `.env` leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    return tmp_path


# .env


def test_a_dotenv_is_read_as_people_write_it(folder: Path) -> None:
    """Quotes, comments, `export`, blank lines, equal signs in values."""
    text = "# keys\n\nexport A=1\nB = 'two # no comment'\nC=\"3\" # three\nD=a=b # c\nE=\n"
    (folder / ".env").write_text(text, encoding="utf-8")

    found = read_dotenv(Path(".env"))
    assert found == {"A": "1", "B": "two # no comment", "C": "3", "D": "a=b", "E": ""}


def test_the_environment_wins_over_a_dotenv(folder: Path) -> None:
    """A variable that is set stays; an empty one counts as unset."""
    (folder / ".env").write_text("A=file\nB=file\n", encoding="utf-8")
    environ = {"A": "set", "B": ""}
    apply_dotenv(environ)

    assert environ == {"A": "set", "B": "file"}


def test_a_line_that_is_no_variable_is_named_without_its_text(folder: Path) -> None:
    """A pasted key must not end up in an error."""
    (folder / ".env").write_text(f"A=1\n{KEY}\n", encoding="utf-8")

    with pytest.raises(SettingsError, match=r"\.env:2") as raised:
        read_dotenv(Path(".env"))
    assert KEY not in raised.value.message


# config


def test_config_show_names_the_source_of_each_value(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """File and line, variable, `.env`, default; a secret is only there or not."""
    (folder / "callagent.yaml").write_text(
        "lanes: 3\nalerts:\n  webhook: {url: https://hooks.example/a/long/secret/path}\n",
        encoding="utf-8",
    )
    (folder / ".env").write_text(f"HUBSPOT_TOKEN={KEY}\n", encoding="utf-8")
    monkeypatch.setitem(os.environ, "CALLAGENT_MODE", "sandbox")
    monkeypatch.setitem(os.environ, "OPENAI_API_KEY", KEY)
    code = exit_code_of(["config", "show", "--all", "--json"])
    text = capsys.readouterr().out
    shown = {each["name"]: each for each in json.loads(text)["settings"]}

    assert code == 0
    assert (shown["lanes"]["value"], shown["lanes"]["source"]) == ("3", "callagent.yaml:1")
    assert shown["mode"]["source"] == "CALLAGENT_MODE"
    assert shown["services.llm.api_key"]["source"] == "environment OPENAI_API_KEY"
    assert shown["services.crm.token"]["source"] == ".env HUBSPOT_TOKEN"
    assert shown["services.elevenlabs.api_key"]["value"] == "not set"
    assert shown["dialing.max_dials"]["source"] == "default"
    assert shown["alerts.webhook.url"]["value"] == "https://hooks.example/***"
    assert KEY not in text


def test_config_show_hides_what_an_address_lets_in(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """User, password, query and fragment of any address; the rest is what a person looks for."""
    text = f"""
services:
  elevenlabs: {{base_url: "https://ana:{KEY}@voice.example:8443/v1"}}
  llm: {{base_url: "https://llm.example/api?key={KEY}#{KEY}"}}
  crm: {{base_url: "https://crm.example/api#token={KEY}"}}
sandbox: {{url: "http://{KEY}@127.0.0.1:9000"}}
"""
    (folder / "callagent.yaml").write_text(text, encoding="utf-8")
    code = exit_code_of(["config", "show"])
    said = capsys.readouterr().out

    assert code == 0
    assert KEY not in said
    for shown in (
        "https://***@voice.example:8443/v1",
        "https://llm.example/api?***#***",
        "https://crm.example/api#***",
        "http://***@127.0.0.1:9000",
    ):
        assert shown in said


# init


def test_init_writes_what_a_campaign_begins_with(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings that load, an example of secrets, contacts and two scenarios, private to us."""
    assert exit_code_of(["init"]) == 0
    assert exit_code_of(["config", "show"]) == 0
    assert exit_code_of(["run", "contacts.csv", "--dry-run"]) == 0
    assert exit_code_of(["scenarios", "check", *map(str, Path("scenarios").glob("*"))]) == 0
    said = capsys.readouterr().out

    assert "5 people" in said
    assert "#ELEVENLABS_API_KEY=" in (folder / ".env.example").read_text(encoding="utf-8")
    assert stat.S_IMODE((folder / "callagent.yaml").stat().st_mode) == 0o600
    assert len(list((folder / "scenarios").iterdir())) == 2


def test_init_overwrites_nothing_unless_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One file that is there stops it before anything is written; `--force` goes on."""
    (folder / "contacts.csv").write_text("mine", encoding="utf-8")
    refused = exit_code_of(["init"])
    left = sorted(path.name for path in folder.iterdir())
    forced = exit_code_of(["init", "--force"])

    assert (refused, left) == (2, ["contacts.csv"])
    assert "contacts.csv" in capsys.readouterr().err
    assert forced == 0
    assert (folder / "contacts.csv").read_text(encoding="utf-8") != "mine"


# doctor


def test_doctor_says_one_line_a_check_and_a_fix(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sandbox that was just made is healthy."""
    code = exit_code_of(["doctor"])
    lines = capsys.readouterr().out.splitlines()

    assert code == 0
    assert [line.split(":")[0] for line in lines] == [
        "✓ python",
        "✓ settings",
        "✓ credentials",
        "✓ database",
        "✓ logs",
        "✓ disk",
        "✓ worker",
        "✓ services",
        "✓ channels",
    ]


def _live_settings(base_url: str) -> str:
    return f"""
mode: live
services:
  elevenlabs: {{base_url: "{base_url}", agent_id: a, agent_phone_number_id: p}}
  llm: {{base_url: "{base_url}"}}
  crm: {{provider: none}}
alerts:
  email: {{host: 127.0.0.1, port: 1, sender: a@example.test, to: [b@example.test], tls: none}}
  webhook: {{url: "{base_url}/hook"}}
"""


class _Provider:
    """Refuses every key, and takes alerts."""

    def __init__(self) -> None:
        self.base_url = ""
        self.taken: list[bytes] = []
        self.accepted: tuple[int, bytes] = (204, b"")

    def answer(self, asked: Asked) -> Answer:
        """Refuse a health check, take an alert."""
        if asked.method == "GET":
            return 401, {}, b""
        self.taken.append(asked.body)
        status, body = self.accepted
        return status, {}, body


@pytest.fixture
def provider() -> Iterator[_Provider]:
    """Yield a provider on loopback."""
    served = _Provider()
    with answering(served.answer) as served.base_url:
        yield served


def test_doctor_finds_what_is_broken_in_a_live_setting(
    folder: Path, provider: _Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refused key, a closed SMTP port, a missing credential: each with a fix, none with a key."""
    (folder / "callagent.yaml").write_text(_live_settings(provider.base_url), encoding="utf-8")
    (folder / ".env").write_text(f"ELEVENLABS_API_KEY={KEY}\n", encoding="utf-8")
    (folder / ".env").chmod(0o644)
    code = exit_code_of(["doctor", "--json"])
    text = capsys.readouterr().out
    checks = {check["name"]: check for check in json.loads(text)["checks"]}

    assert code == 1
    assert "OPENAI_API_KEY" in checks["credentials"]["text"]
    assert checks["elevenlabs"]["status"] == "failed"
    assert "check the key" in checks["elevenlabs"]["fix"]
    assert checks["clock"]["status"] == "ok"
    assert "cannot be reached" in checks["email"]["text"]
    assert "alerts test webhook" in checks["webhook"]["fix"]
    assert checks["privacy"]["fix"] == "chmod 600 .env"
    assert provider.taken == []
    assert KEY not in text


def test_doctor_names_settings_that_cannot_be_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typo is a finding, with its line."""
    (folder / "callagent.yaml").write_text("lanes: many\n", encoding="utf-8")

    assert exit_code_of(["doctor"]) == 1
    assert "✗ settings: callagent.yaml:1" in capsys.readouterr().out


# alerts test


def test_alerts_test_says_what_came_back(
    folder: Path, provider: _Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line a channel: taken, or the error in plain words; 1 when one failed."""
    (folder / "callagent.yaml").write_text(_live_settings(provider.base_url), encoding="utf-8")
    one = exit_code_of(["alerts", "test", "webhook"])
    both = exit_code_of(["alerts", "test"])
    said = capsys.readouterr().out.splitlines()

    assert (one, both) == (0, 1)
    assert said[0] == "✓ webhook: took the alert; look whether it arrived"
    assert said[1].startswith("✗ email: email through 127.0.0.1:1: cannot be reached")
    assert json.loads(provider.taken[0])["data"]["title"] == "this is a test of callagent's alerts"


@pytest.mark.parametrize(
    ("arguments", "channels"),
    [
        ([], ["email", "telegram", "webhook", "slack", "pagerduty"]),
        (["slack"], ["slack"]),
    ],
)
def test_a_channel_that_is_not_set_is_tried_as_a_mock(
    folder: Path,
    arguments: list[str],
    channels: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It says that it reached nobody, and the alert is where those of a run are."""
    code = exit_code_of(["alerts", "test", *arguments])
    said = capsys.readouterr().out.splitlines()
    lines = (folder / "logs" / "alerts.jsonl").read_text(encoding="utf-8").splitlines()

    assert code == 0
    assert [json.loads(line)["channel"] for line in lines] == channels
    assert all(line.startswith("SANDBOX ✓ ") for line in said)
    assert all("is not set, so it is pretended" in line for line in said)


@pytest.mark.parametrize(
    "arguments",
    [
        ["alerts", "test", "telegrm"],
        ["alerts", "mute", "elevenlabs"],
        ["alerts", "mute", "--for", "1h"],
        ["incidents", "list", "--markdown"],
        ["incidents", "show", "INC-0001", "--json", "--markdown"],
        ["incidents", "show", "INC-0001"],
    ],
)
def test_what_cannot_be_done_is_said_with_a_hint(
    folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """No such channel, no end of a mute, nothing run yet: exit code 2 and a way on."""
    assert exit_code_of(arguments) == 2
    assert "hint:" in capsys.readouterr().err


def test_alerts_test_opens_and_closes_what_pagerduty_shows(
    folder: Path,
    provider: _Provider,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A test that only resolved would prove nothing, and one left open would call somebody."""
    provider.accepted = (202, b'{"status": "success", "message": "Event processed"}')
    monkeypatch.setitem(os.environ, "PAGERDUTY_ROUTING_KEY", KEY)
    settings = f'mode: live\nalerts:\n  pagerduty: {{base_url: "{provider.base_url}"}}\n'
    (folder / "callagent.yaml").write_text(settings, encoding="utf-8")
    code = exit_code_of(["alerts", "test", "pagerduty"])
    first, last = (json.loads(body) for body in provider.taken)

    assert code == 0, capsys.readouterr().out
    assert (first["event_action"], last["event_action"]) == ("trigger", "resolve")
    assert first["dedup_key"] == last["dedup_key"]
