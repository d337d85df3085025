"""What `doctor` asks channels and the sheet: real clients, servers on loopback, nothing sent."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gspread
import pytest
from reporting_doubles import KEY
from sheets_twin import SheetsTwin
from threaded_server import Answer, Asked, answering

from callagent_cli.cli.app import exit_code_of
from callagent_cli.reporting.channel_news import LEARNED
from callagent_cli.store.sqlite_store import SqliteStore

ME = {"ok": True, "result": {"username": "callagent_bot"}}
CHAT = {"ok": True, "result": {"title": "Night shift"}}
MOVED = {"ok": False, "description": "upgraded", "parameters": {"migrate_to_chat_id": -1009}}


class _Telegram:
    """Answers as told, and notes what it was asked."""

    def __init__(self) -> None:
        self.base_url = ""
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, str]] = []

    def answer(self, asked: Asked) -> Answer:
        """Answer a method of the bot API."""
        self.asked.append(
            (asked.path.rpartition("/")[2], json.loads(asked.body).get("chat_id", ""))
        )
        status, said = self.answers.pop(0)
        return status, {}, json.dumps(said).encode()


@pytest.fixture
def telegram() -> Iterator[_Telegram]:
    """Yield a Telegram on loopback."""
    served = _Telegram()
    with answering(served.answer) as served.base_url:
        yield served


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that the command runs in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", {**os.environ, "TELEGRAM_BOT_TOKEN": KEY})
    return tmp_path


def _settings(folder: Path, section: str, *, mode: str = "live") -> None:
    # The services are nobody's business here: each refuses the connection.
    nowhere = "http://127.0.0.1:1"
    text = f"""
mode: {mode}
services:
  elevenlabs: {{base_url: "{nowhere}", agent_id: a, agent_phone_number_id: p}}
  llm: {{base_url: "{nowhere}"}}
  crm: {{provider: none}}
{section}
"""
    (folder / "callagent.yaml").write_text(text, encoding="utf-8")


def _checks(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    exit_code_of(["doctor", "--json"])
    text = capsys.readouterr().out

    assert KEY not in text
    return {check["name"]: check for check in json.loads(text)["checks"]}


def _telegram_section(base_url: str) -> str:
    return f'alerts:\n  telegram: {{base_url: "{base_url}", chat_id: "-100"}}'


@pytest.mark.parametrize(
    ("answers", "status", "words", "fix"),
    [
        ([(200, ME), (200, CHAT)], "ok", "@callagent_bot knows the chat Night shift", ""),
        (
            [(401, {"ok": False, "description": "Unauthorized"})],
            "failed",
            "Unauthorized; correct the token",
            "correct `alerts.telegram`",
        ),
        (
            [(200, ME), (400, {"ok": False, "description": "Bad Request: chat not found"})],
            "failed",
            "chat not found",
            "correct `alerts.telegram`",
        ),
        (
            [(200, ME), (400, MOVED), (200, CHAT)],
            "warning",
            "Night shift",
            "set `alerts.telegram.chat_id` to `-1009`",
        ),
        ([(502, {})], "failed", "502", "see whether it can be reached"),
    ],
)
def test_telegram_is_asked_for_its_bot_and_chat_and_sent_nothing(
    folder: Path,
    telegram: _Telegram,
    capsys: pytest.CaptureFixture[str],
    answers: list[tuple[int, Any]],
    status: str,
    words: str,
    fix: str,
) -> None:
    """A wrong token, an unknown chat, a chat that moved: one line each, with its fix."""
    telegram.answers = list(answers)
    _settings(folder, _telegram_section(telegram.base_url))
    check = _checks(capsys)["telegram"]

    assert check["status"] == status
    assert words in check["text"]
    assert fix in check["fix"]
    assert {method for method, _ in telegram.asked} <= {"getMe", "getChat"}


def test_a_chat_that_a_run_saw_moving_is_asked_where_it_is(
    folder: Path, telegram: _Telegram, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the store remembers goes before the setting, and the setting to change is named."""
    telegram.answers = [(200, ME), (200, CHAT)]
    _settings(folder, _telegram_section(telegram.base_url))
    (folder / ".callagent").mkdir()
    with closing(SqliteStore.open(folder / ".callagent" / "live.db")) as store:
        store.put(LEARNED, "telegram", b"-100>-1009", open_=False)
        store.flush()
    check = _checks(capsys)["telegram"]

    assert telegram.asked[-1] == ("getChat", "-1009")
    assert check["status"] == "warning"
    assert "set `alerts.telegram.chat_id` to `-1009`" in check["fix"]


def test_a_chat_that_moves_under_a_test_is_told_and_remembered(
    folder: Path, telegram: _Telegram, capsys: pytest.CaptureFixture[str]
) -> None:
    """`alerts test` names the setting to change, and the next one asks the right chat at once."""
    telegram.answers = [(400, MOVED), (200, ME), (200, ME)]
    _settings(folder, _telegram_section(telegram.base_url))
    (folder / ".callagent").mkdir()
    SqliteStore.open(folder / ".callagent" / "live.db").close()
    codes = [exit_code_of(["alerts", "test", "telegram"]) for _ in range(2)]
    said = capsys.readouterr().out

    assert codes == [0, 0]
    assert said.count("took the alert; the chat moved: set `alerts.telegram.chat_id`") == 2
    assert [chat for _, chat in telegram.asked] == ["-100", "-1009", "-1009"]


def test_a_database_that_cannot_be_read_stops_no_test_of_a_channel(
    folder: Path, telegram: _Telegram, capsys: pytest.CaptureFixture[str]
) -> None:
    """The alert is sent, and what came back is told: the moved chat too."""
    telegram.answers = [(400, MOVED), (200, ME)]
    _settings(folder, _telegram_section(telegram.base_url))
    (folder / ".callagent").mkdir()
    (folder / ".callagent" / "live.db").write_bytes(b"no database at all")

    assert exit_code_of(["alerts", "test", "telegram"]) == 0
    assert "took the alert; the chat moved: set `alerts.tel" in capsys.readouterr().out


def test_a_channel_without_a_harmless_question_says_how_to_test_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack and PagerDuty know no request without an effect; one that lacks its secret fails."""
    monkeypatch.setitem(os.environ, "SLACK_WEBHOOK_URL", "http://127.0.0.1:1/services/T/B/X")
    _settings(folder, "alerts:\n  slack: {}\n  pagerduty: {}")
    checks = _checks(capsys)

    assert checks["slack"]["text"] == "is set; it cannot be checked without sending"
    assert checks["slack"]["fix"] == "run `callagent alerts test slack`"
    assert checks["pagerduty"]["status"] == "failed"
    assert "PAGERDUTY_ROUTING_KEY" in checks["pagerduty"]["fix"]


def test_a_sandbox_asks_no_channel(
    folder: Path, telegram: _Telegram, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only live settings are checked for real."""
    sheet = "sheet: {spreadsheet_id: book}"
    os.environ["GOOGLE_SERVICE_ACCOUNT_JSON"] = "{}"
    _settings(folder, f"{_telegram_section(telegram.base_url)}\n{sheet}", mode="sandbox")
    checks = _checks(capsys)

    assert telegram.asked == []
    assert [checks[name]["text"] for name in ("telegram", "sheet")] == [
        "is set; `mode: live` checks it"
    ] * 2


# The sheet


def _refused(twin: SheetsTwin) -> None:
    twin.open_answer = (403, {"error": {"code": 403, "message": "no", "status": "NO"}})


def _no_token(twin: SheetsTwin) -> None:
    twin.token_answer = (400, {"error": "invalid_grant", "error_description": "no"})


def _no_worksheet(twin: SheetsTwin) -> None:
    del twin.grids["callagent"]


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        (lambda _: None, "ok", "worksheet `callagent` gets its header"),
        (_no_worksheet, "ok", "the worksheet `callagent` will be made"),
        (_refused, "failed", "not shared with the service account"),
        (_no_token, "failed", "check its key"),
    ],
)
def test_the_sheet_is_opened_and_read_and_left_as_it_is(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    change: Any,  # noqa: ANN401 — a function of the twin.
    status: str,
    words: str,
) -> None:
    """Revoked, wrong key, no worksheet yet: said without making or writing anything."""
    with SheetsTwin(titles=("callagent",)) as twin:
        change(twin)
        before = dict(twin.sheets)
        monkeypatch.setattr(gspread, "HTTPClient", twin.http_client)
        monkeypatch.setitem(os.environ, "GOOGLE_SERVICE_ACCOUNT_JSON", json.dumps(twin.account))
        _settings(folder, "sheet: {spreadsheet_id: book}")
        check = _checks(capsys)["sheet"]

    assert check["status"] == status
    assert words in check["text"]
    assert bool(check["fix"]) is (status == "failed")
    assert twin.sheets == before
    assert twin.appends == 0


@pytest.mark.parametrize("mode", ["live", "sandbox"])
def test_a_secret_whose_file_cannot_be_read_fails_its_own_line(
    folder: Path, telegram: _Telegram, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    """The other checks are made all the same, and the answer is JSON."""
    telegram.answers = [(200, ME), (200, CHAT)]
    section = _telegram_section(telegram.base_url) + "\n  slack: {url: {file: gone.txt}}"
    _settings(folder, section, mode=mode)
    found = _checks(capsys)

    assert found["slack"]["status"] == "failed"
    assert "cannot read the secret file `gone.txt`" in found["slack"]["text"]
    assert found["slack"]["fix"] == "check the path and its permissions"
    assert found["telegram"]["status"] == "ok"


def test_the_key_of_a_service_whose_file_cannot_be_read_stops_no_other_check(
    folder: Path, telegram: _Telegram, capsys: pytest.CaptureFixture[str]
) -> None:
    """No service can be asked without it; the channels can."""
    telegram.answers = [(200, ME), (200, CHAT)]
    _settings(folder, _telegram_section(telegram.base_url))
    settings = folder / "callagent.yaml"
    text = settings.read_text(encoding="utf-8")
    text = text.replace("agent_id: a", "api_key: {file: gone.txt}, agent_id: a")
    settings.write_text(text, encoding="utf-8")
    found = _checks(capsys)

    assert found["services"]["status"] == "failed"
    assert "gone.txt" in found["services"]["text"]
    assert found["telegram"]["status"] == "ok"


def test_a_channel_is_tested_although_another_one_lacks_its_secret(
    folder: Path, telegram: _Telegram, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who mends one channel after the other tests each when it is mended."""
    telegram.answers = [(200, ME)]
    section = _telegram_section(telegram.base_url)
    _settings(folder, section + "\n  slack: {url: {file: gone.txt}}\n  pagerduty: {}")

    assert exit_code_of(["alerts", "test", "telegram"]) == 0
    assert "✓ telegram: took the alert" in capsys.readouterr().out
    assert exit_code_of(["alerts", "test", "slack"]) == 2
    assert "gone.txt" in capsys.readouterr().err
