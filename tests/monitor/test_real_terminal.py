"""On a real terminal: the screen opens, steers, and leaves the terminal as it was."""

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Final

import pytest
from tmux_terminal import PATIENCE_S, program, terminal

from callagent_cli.store.lock import holder

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

CRASHING: Final = str(Path(__file__).with_name("crashing_screen.py"))
SCENARIO: Final = ("simulate", "elevenlabs-503", "--tui", "--speed", "60")
QUICK: Final = {"sandbox": {"pace": 0.2}, "dialing": {"max_dials": 1}}
SLOW: Final = {"sandbox": {"pace": 1.0}, "dialing": {"max_dials": 1}}


def _campaign(folder: Path, people: int, settings: object) -> None:
    (folder / "callagent.yaml").write_text(json.dumps(settings), encoding="utf-8")
    rows = [f"Person {index},+1212555{100 + index:04d}" for index in range(people)]
    (folder / "contacts.csv").write_text("\n".join(["name,phone", *rows]) + "\n", "utf-8")


def _worker(folder: Path) -> int:
    held = holder(folder / ".callagent" / "sandbox.lock")
    assert held is not None
    return held.pid


def test_a_rehearsal_is_watched_and_left(tmp_path: Path) -> None:
    """The 503 scenario at 60x shows its outage; q leaves, the verdict follows, all is restored."""
    with terminal(tmp_path) as term:
        term.run(*program(*SCENARIO))
        term.until(lambda text: "■ OPEN" in text, "an open breaker")
        term.press("Space")
        held = term.until(lambda text: "time held" in text, "held time")
        assert "SIMULATION" in held
        term.press("q")
        text = term.ended()

        assert "HELD: every expectation held" in text
        assert "ended with 0" in text
        assert term.restored()


def test_a_signal_takes_the_screen_off_the_terminal(tmp_path: Path) -> None:
    """SIGTERM ends a rehearsal's screen at once and restores the terminal."""
    with terminal(tmp_path) as term:
        term.type("echo $$ > shell")
        term.run(*program(*SCENARIO))
        term.until(lambda text: "SIM  elevenlabs-503" in text, "the screen")
        shell = (tmp_path / "shell").read_text().strip()
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGTERM)
        text = term.ended()

        assert "ended with 143" in text
        assert term.restored()


def test_a_terminated_run_drains_on_a_restored_terminal(tmp_path: Path) -> None:
    """SIGTERM gives the terminal back at once; the run drains in plain lines and can be resumed."""
    _campaign(tmp_path, 12, SLOW)
    with terminal(tmp_path) as term:
        term.run(*program("run", "contacts.csv", "--lanes", "2"))
        term.until(lambda text: "1 Services" in text and "follow" in text, "calls in flight")
        os.kill(_worker(tmp_path), signal.SIGTERM)
        text = term.ended()

        assert "ended: drained" in text
        assert "ended with 143" in text
        assert term.restored()


def test_a_run_whose_terminal_is_gone_drains(tmp_path: Path) -> None:
    """SIGHUP, which a closed window sends, ends the run in good order."""
    _campaign(tmp_path, 12, SLOW)
    with terminal(tmp_path) as term:
        term.run(*program("run", "contacts.csv", "--lanes", "2"))
        term.until(lambda text: "1 Services" in text and "follow" in text, "calls in flight")
        term.tmux("kill-server")
    until_s = time.monotonic() + PATIENCE_S
    while holder(tmp_path / ".callagent" / "sandbox.lock") is not None:
        assert time.monotonic() < until_s, "the run goes on without a terminal"
        time.sleep(0.05)
    logs = list((tmp_path / "logs").glob("run-*.jsonl"))
    last = json.loads(logs[0].read_text().splitlines()[-1])

    assert (last["event"], last["reason"], last["exit_code"]) == ("run_ended", "drained", 143)
    assert sum(last["totals"].values()) == 12


def test_a_crash_of_the_screen_leaves_the_run_alone(tmp_path: Path) -> None:
    """After a planted failure every call is made, in plain lines; the report holds no secret."""
    _campaign(tmp_path, 6, QUICK)
    with terminal(tmp_path) as term:
        term.run(*program("run", "contacts.csv", script=(CRASHING,)))
        text = term.ended()
        reports = list((tmp_path / ".callagent").glob("crash-*.txt"))
        report = reports[0].read_text()

        assert "the screen failed; the run goes on" in text
        assert "ended: everything is done" in text
        assert "ended with 0" in text
        assert term.restored()
        assert len(reports) == 1
        assert "planted: …142 with ***" in report
        assert "12125550142" not in text + report
        assert "sk_planted" not in text + report


def test_a_run_is_left_by_draining_it(tmp_path: Path) -> None:
    """On the screen of a run, q and d drain it; the summary stands on the restored terminal."""
    _campaign(tmp_path, 12, SLOW)
    with terminal(tmp_path, 80, 24) as term:
        term.run(*program("run", "contacts.csv"))
        term.until(lambda text: "RUNNING" in text and "follow" in text, "a call in flight")
        term.press("q")
        term.until(lambda text: "Leave the run?" in text, "the question")
        term.press("d")
        text = term.ended()

        assert "ended: drained" in text
        assert term.restored()


def test_a_screen_too_small_for_a_run_is_not_opened(tmp_path: Path) -> None:
    """On 59×15 a run shows its bar and lines instead."""
    _campaign(tmp_path, 2, {**QUICK, "sandbox": {"pace": 0}})
    with terminal(tmp_path, 59, 15) as term:
        term.run(*program("run", "contacts.csv"))
        text = term.ended()

        assert "ended with 0" in text
        assert "Services" not in text
        assert term.restored()


def test_attached_keys_act_on_the_worker_elsewhere(tmp_path: Path) -> None:
    """`callagent tui` shows another process's run, pauses it, and leaves it going."""
    _campaign(tmp_path, 12, SLOW)
    with terminal(tmp_path) as worker, terminal(tmp_path) as term:
        worker.run(*program("run", "contacts.csv", "--headless"))
        worker.until(lambda text: "in flight" in text, "the bar")
        term.run(*program("tui"))
        term.until(lambda text: "RUNNING" in text and "follow" in text, "the other run")
        term.press("p")
        began_s = time.monotonic()
        term.until(lambda text: "PAUSED" in text, "the pause")
        assert time.monotonic() - began_s < 3.0
        term.press("q")
        term.until(lambda text: "leave the run going" in text, "the question")
        term.press("l")
        text = term.ended()

        assert "ended with 0" in text
        assert term.restored()
        assert holder(tmp_path / ".callagent" / "sandbox.lock") is not None
