"""The journal of a rehearsal is written while the world runs, and is whole or not there."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from callagent_cli.cli.simulate.journal import JournalFile, journal_of
from callagent_cli.errors import UsageError
from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.loader import find_scenario, load_scenario
from callagent_cli.simulation.worlds.world import World

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = load_scenario(find_scenario("late-listing")).scenario


def _write(path: Path) -> World:
    """Run a world with a journal."""
    world = World(SCENARIO, 7)
    with journal_of(world, path) as journal:
        evidence = world.run()
        assert journal is not None
        journal.write(evidence, judge(evidence))
    return world


def test_the_journal_is_the_log_and_the_ledger(tmp_path: Path) -> None:
    """Every line of the log, every request and every phone stands in it, in order."""
    lines: list[bytes] = []
    other = World(SCENARIO, 7)
    other.log.copy_to(lines.append)
    other.run()

    world = _write(tmp_path / "j.json")

    journal: dict[str, Any] = json.loads((tmp_path / "j.json").read_bytes())
    assert journal["events"] == [json.loads(line) for line in b"".join(lines).splitlines()]
    assert [each["sequence"] for each in journal["requests"]] == [
        number + 1 for number in range(world.ledger.next_sequence - 1)
    ]
    assert len(journal["placed"]) == world.ledger.totals()["placed"] > 0
    assert journal["verdict"]["log_sha256"] == world.log.sha256
    assert [path.name for path in tmp_path.iterdir()] == ["j.json"]


def test_the_journal_is_private_whatever_the_umask_says(tmp_path: Path) -> None:
    """A scenario may name real people, and a recording holds what was said."""
    before = os.umask(0o000)
    try:
        journal = JournalFile(tmp_path / "j.json", SCENARIO, 7)
    finally:
        os.umask(before)
    (part,) = tmp_path.iterdir()
    mode = stat.S_IMODE(part.stat().st_mode)
    journal.close()

    assert mode == 0o600


def test_a_world_that_dies_leaves_the_last_journal_as_it_was(tmp_path: Path) -> None:
    """Half a journal never takes the place of a whole one, nor stays beside it."""
    path = tmp_path / "j.json"
    path.write_text("the last one", encoding="utf-8")
    journal = JournalFile(path, SCENARIO, 7)
    journal.take(b'{"event":"run_started"}\n')
    assert len(list(tmp_path.iterdir())) == 2

    journal.close()

    assert path.read_text(encoding="utf-8") == "the last one"
    assert [each.name for each in tmp_path.iterdir()] == ["j.json"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    """The journal goes where a link points, and the link stays."""
    target = tmp_path / "target.json"
    target.touch()
    (tmp_path / "link.json").symlink_to(target)

    _write(tmp_path / "link.json")

    assert (tmp_path / "link.json").is_symlink()
    assert json.loads(target.read_bytes())["seed"] == 7


def test_a_world_that_was_interrupted_has_no_other_verdict(tmp_path: Path) -> None:
    """Half a world broke nothing: its journal says what `--json` says."""
    world = World(SCENARIO, 7)
    with journal_of(world, tmp_path / "j.json") as journal:
        world.interrupt()
        evidence = world.run()
        assert journal is not None
        journal.write(evidence, judge(evidence), interrupted=world.interrupted)

    verdict = json.loads((tmp_path / "j.json").read_bytes())["verdict"]
    assert verdict["status"] == "interrupted"
    assert verdict["totals"]["pending"] == 3


def test_sigterm_leaves_a_whole_journal_and_nothing_beside_it(tmp_path: Path) -> None:
    """The world is cut as Ctrl-C cuts it, and the exit code says by which of the two."""
    with subprocess.Popen(
        [sys.executable, "-m", "callagent_cli", "simulate", "day-long-outage", "--journal", "j"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        assert any(line.startswith("SIMULATION +") for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)

    assert process.returncode == 143
    assert [path.name for path in tmp_path.iterdir()] == ["j"]
    assert json.loads((tmp_path / "j").read_bytes())["verdict"]["status"] == "interrupted"


def test_what_is_no_file_is_written_and_stays_what_it_is() -> None:
    """A device is not replaced by a file."""
    _write(Path("/dev/null"))

    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_what_cannot_be_written_is_told_before_the_world_runs(tmp_path: Path) -> None:
    """Nobody waits for a world whose journal would be lost."""
    with pytest.raises(UsageError, match="cannot write"):
        JournalFile(tmp_path, SCENARIO, 7)


def test_a_full_disk_is_told_before_the_world_runs() -> None:
    """The first bytes show it."""
    with pytest.raises(UsageError, match="No space left"):
        JournalFile(Path("/dev/full"), SCENARIO, 7)


def test_a_journal_that_fails_meanwhile_does_not_disturb_the_world() -> None:
    """It is told when the world is over; the world is the one that it is without a journal."""
    reader, writer = os.pipe()
    world = World(SCENARIO, 7)
    with journal_of(world, Path(f"/dev/fd/{writer}")) as journal:
        os.close(reader)
        evidence = world.run()
        assert journal is not None
        verdict = judge(evidence)
        with pytest.raises(UsageError, match="Broken pipe"):
            journal.write(evidence, verdict)
    os.close(writer)

    assert verdict == judge(World(SCENARIO, 7).run())


def test_a_journal_that_fails_takes_no_verdict_away(tmp_path: Path) -> None:
    """What was concluded is shown all the same, and then why there is no journal."""
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(
        [sys.executable, "-m", "callagent_cli", "simulate", "elevenlabs-503", "--journal", "pipe"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        # Whoever reads the pipe goes away after its first byte.
        with (tmp_path / "pipe").open("rb", buffering=0) as reader:
            reader.read(1)
        shown, complained = process.communicate(timeout=15)

    assert process.returncode == 2
    assert "SIMULATION HELD: every expectation held" in shown
    assert complained.startswith("error: cannot write `pipe`: Broken pipe\n")
