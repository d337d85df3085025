"""`callagent doctor`: what it looks at, and the fix that fits what it finds."""

import importlib.util
import json
import os
from pathlib import Path

import pytest

from callagent_cli.cli.app import exit_code_of
from callagent_cli.cli.run.trace_export import VARIABLE

SETTINGS = """
mode: live
services:
  elevenlabs: {base_url: "http://127.0.0.1:1", agent_id: a, agent_phone_number_id: p}
  llm:
    base_url: "http://127.0.0.1:1"
    fallback: {provider: anthropic, base_url: "http://127.0.0.1:1", api_key: {env: SECOND_KEY}}
  crm: {provider: none}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that the command runs in, with the key of each first service."""
    monkeypatch.chdir(tmp_path)
    keys = {"ELEVENLABS_API_KEY": "key-of-the-voice", "OPENAI_API_KEY": "key-of-the-model"}
    monkeypatch.setattr(os, "environ", {**os.environ, **keys})
    return tmp_path


def _checks(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, str]]:
    exit_code_of(["doctor", "--json", *arguments])
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}


def test_the_second_model_needs_its_key_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that stands in without a key would be missed in the outage it is there for."""
    (folder / "callagent.yaml").write_text(SETTINGS, encoding="utf-8")
    (folder / "contacts.csv").write_text("phone\n+12125550123\n", encoding="utf-8")
    check = _checks(capsys)["credentials"]
    started = exit_code_of(["run", "contacts.csv", "--yes", "--headless"])

    assert check["status"] == "failed"
    assert check["text"] == "a live run needs SECOND_KEY"
    assert started != 0
    assert "a live run needs SECOND_KEY" in capsys.readouterr().err


def test_the_settings_that_were_read_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also when `--config` names them."""
    (folder / "night.yaml").write_text("mode: sandbox\n", encoding="utf-8")

    named = _checks(capsys, "--config", "night.yaml")["settings"]
    assert named["text"] == "night.yaml, mode sandbox"
    assert _checks(capsys)["settings"]["text"] == "the defaults, mode sandbox"


def test_a_service_that_cannot_be_reached_is_no_matter_of_its_status_page(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A closed port is about the address and the network; the clock could not be compared."""
    (folder / "callagent.yaml").write_text(SETTINGS, encoding="utf-8")
    checks = _checks(capsys)

    assert checks["elevenlabs"]["text"].startswith("cannot be reached (elevenlabs: could not conn")
    assert "the address of `elevenlabs`" in checks["elevenlabs"]["fix"]
    assert "NTP" in checks["clock"]["fix"]


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        ("https://ping.example/0123456789abcdef", "ok", "without starting the watch"),
        ("ping.example", "failed", "no web address"),
    ],
)
def test_the_address_of_the_heartbeat_is_looked_at_and_not_asked(
    folder: Path, capsys: pytest.CaptureFixture[str], *, url: str, status: str, words: str
) -> None:
    """A request would begin the watch that a run has to keep up."""
    text = f"alerts: {{heartbeat_url: '{url}'}}\n"
    (folder / "callagent.yaml").write_text(text, encoding="utf-8")
    check = _checks(capsys)["heartbeat"]

    assert check["status"] == status
    assert words in check["text"]
    assert check["fix"]


def test_extras_that_are_not_installed_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Traces fail a run that wants them; metrics are wanted by a flag, so that is no fault."""
    installed = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> object:
        if name.startswith("opentelemetry"):
            raise ModuleNotFoundError(name)
        return None if name == "prometheus_client" else installed(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    monkeypatch.setitem(os.environ, VARIABLE, "http://127.0.0.1:4318")
    checks = _checks(capsys)

    assert (checks["otel"]["status"], checks["metrics"]["status"]) == ("failed", "ok")
    assert checks["otel"]["fix"] == "pip install 'callagent[otel]'"
    assert checks["metrics"]["fix"] == "pip install 'callagent[metrics]'"
    assert folder.is_dir()


@pytest.mark.parametrize(
    ("name", "fix"), [("sandbox.db", "move it away"), ("suppressions.db", "put a copy back")]
)
def test_a_damaged_database_is_found_before_a_run_needs_it(
    name: str, fix: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is told that all is well beside a file that no run can open."""
    (folder / ".callagent").mkdir()
    (folder / ".callagent" / name).write_bytes(b"garbage\n")
    check = _checks(capsys)["database"]

    assert check["status"] == "failed"
    assert "is not a callagent database, or it is damaged" in check["text"]
    assert check["fix"].startswith(fix)
    assert [each.name for each in (folder / ".callagent").iterdir()] == [name]
