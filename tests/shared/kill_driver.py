"""Kills a run again and again at moments drawn from a seed, and measures what became of it."""

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from command_line import (
    PATIENCE_S,
    PROGRAM,
    environment,
    sandbox,
    status,
    until,
    write_contacts,
    write_settings,
)

from callagent_cli.simulation.sandbox.sandbox import ledger_file, read_ledger
from callagent_cli.simulation.twins.ledger import Ledger

DIAL_LATENCY_S: Final = 0.15
_NEWEST_DIAL: Final = (
    "SELECT coalesce(max(at), 0) FROM requests WHERE target = 'elevenlabs.dial' AND effect"
)
SETTINGS: Final[dict[str, Any]] = {
    "sandbox": {"pace": 0.8},
    "dialing": {"max_dials": 1},
    "services": {
        "elevenlabs": {
            "lookup_grace_s": 2.0,
            "refusal_grace_s": 0.3,
            "policy": {"health": {"interval_s": 0.5}},
        }
    },
}


@dataclass(slots=True)
class Killed:
    """What was seen of a campaign whose worker was killed.

    `in_dial` counts the kills between a POST and its answer, as the sandbox's ledger tells.
    """

    numbers: list[str]
    ledger: Ledger
    kills: int = 0
    in_dial: int = 0
    exit_code: int = -1
    last_output: str = ""
    status: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def rung(self) -> list[int]:
        """How often each number was called."""
        return [self.ledger.times_rung(number) for number in self.numbers]


def kill_again_and_again(folder: Path, *, people: int, kills: int, lanes: int, seed: int) -> Killed:
    """Run a campaign against a sandbox of its own process; each kill is followed by a restart."""
    began_s = time.monotonic()
    moments = random.Random(seed)
    write_settings(folder, SETTINGS)
    seen = Killed(numbers=write_contacts(folder, people), ledger=Ledger())
    state_dir = folder / ".callagent"
    with sandbox(folder, "--dial-latency", f"{DIAL_LATENCY_S * 1000:.0f}ms"):
        for kill in range(kills):
            moment_s = moments.uniform(0.4, 2.0)
            aimed_s = moments.uniform(0.0, DIAL_LATENCY_S / 2) if kill % 3 == 0 else None
            killed_utc_s = _killed_run(folder, lanes, moment_s, aimed_s=aimed_s)
            seen.kills += 1
            seen.in_dial += _was_in_dial(read_ledger(state_dir), killed_utc_s)
            counted = status(folder)
            assert sum(counted["totals"].values()) == counted["contacts"] == people
        last = subprocess.run(
            _command(lanes),
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=environment(),
            timeout=170,
        )
        seen.exit_code, seen.last_output = last.returncode, last.stdout + last.stderr
        seen.status = status(folder)
        seen.ledger = read_ledger(state_dir)
    seen.seconds = time.monotonic() - began_s
    return seen


def _command(lanes: int) -> list[str]:
    return [*PROGRAM, "run", "contacts.csv", "--lanes", str(lanes)]


def _killed_run(folder: Path, lanes: int, after_s: float, *, aimed_s: float | None) -> float:
    """Start the run, kill it after a while, and return when (UTC seconds).

    An aimed kill comes `aimed_s` after the first dial that the sandbox receives from then on.
    """
    with (folder / "output.txt").open("a", encoding="utf-8") as output:
        process = subprocess.Popen(
            _command(lanes), cwd=folder, env=environment(), stdout=output, stderr=output
        )
        try:
            process.wait(timeout=after_s)
        except subprocess.TimeoutExpired:
            if aimed_s is not None:
                _until_a_dial(folder, after_utc_s=time.time())
                time.sleep(aimed_s)
            process.kill()
        else:
            print("a run ended before it was killed", file=sys.stderr)  # noqa: T201 — rare.
        killed_utc_s = time.time()
        process.wait(timeout=PATIENCE_S)
    return killed_utc_s


def _until_a_dial(folder: Path, *, after_utc_s: float) -> None:
    with closing(sqlite3.connect(ledger_file(folder / ".callagent"))) as ledger:
        until(
            lambda: ledger.execute(_NEWEST_DIAL).fetchone()[0] > after_utc_s,
            "another dial reaches the sandbox",
        )


def _was_in_dial(ledger: Ledger, at_utc_s: float) -> bool:
    """Tell whether a dial had been received at that instant whose answer was not out yet."""
    return any(
        request.at <= at_utc_s < request.at + DIAL_LATENCY_S
        for request in ledger.requests("elevenlabs")
        if request.target == "elevenlabs.dial" and request.effect
    )
