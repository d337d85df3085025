"""`callagent simulate` and `callagent scenarios` on the command line, as a person meets them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-W", "error", "-m", "callagent_cli"]


def _run(*arguments: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
    )


def _told(run: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what stands on standard error besides the progress of a slow machine."""
    lines = run.stderr.splitlines()
    return [line for line in lines if line and not line.startswith("SIMULATION")]


def _document(*arguments: str, folder: Path, **environ: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_run(*arguments, folder=folder, **environ).stdout)
    return answer


def test_the_required_sequence_is_shown_exactly(tmp_path: Path) -> None:
    """The ladder sleeps 5, 10 and 20 s, the call fails, and the breaker comes back."""
    run = _run("simulate", "elevenlabs-503", folder=tmp_path)

    lines = run.stdout.splitlines()
    story = [
        "+00:00.98 elevenlabs.dial: attempt 2 of 4 in 5.0 s",
        "+00:05.98 elevenlabs.dial: attempt 3 of 4 in 10.0 s",
        "+00:15.98 elevenlabs.dial: attempt 4 of 4 in 20.0 s",
        "+00:35.98 elevenlabs breaker closed → open",
        "ALERT opened",
        "failed: elevenlabs answered 503",
        "elevenlabs breaker open → half-open",
        "elevenlabs breaker half-open → closed",
        "ALERT resolved",
        "call Person 10 …109 done",
    ]
    found = [next((n for n, line in enumerate(lines) if text in line), -1) for text in story]
    assert run.returncode == 0
    assert _told(run) == []
    assert -1 not in found
    assert found == sorted(found)


def test_the_cost_says_which_calls_it_counts(tmp_path: Path) -> None:
    """Who waited to begin is protected and not delayed: the report says so, and is not too wide."""
    (tmp_path / "lanes.yaml").write_text("lanes: 2\n", encoding="utf-8")
    meanings = [
        "SIMULATION   delayed: had begun, then had to wait for a service",
        "SIMULATION   protected: not over when a breaker first opened, and did not fail;",
        "SIMULATION     a call that only waited to begin is protected, not delayed",
    ]

    one = _run("simulate", "elevenlabs-503", folder=tmp_path).stdout.splitlines()
    compared = _run("simulate", "elevenlabs-503", "--compare", "lanes.yaml", folder=tmp_path).stdout

    cost = "SIMULATION cost: 1 call delayed, 1 failed, 9 protected; 4 requests wasted"
    at = one.index(cost)
    assert one[at + 1 : at + 4] == meanings
    assert [line for line in compared.splitlines() if line in meanings] == meanings
    assert max(map(len, meanings)) <= 80


def test_nothing_is_explained_that_does_not_appear(tmp_path: Path) -> None:
    """A world without delays and open breakers needs no word on them."""
    run = _run("simulate", "nobody-answers", folder=tmp_path)

    assert "SIMULATION cost: 0 calls delayed, 0 failed, 0 protected" in run.stdout
    assert "delayed:" not in run.stdout
    assert "protected:" not in run.stdout


def test_every_line_says_that_it_is_a_simulation(tmp_path: Path) -> None:
    """Nobody can take a rehearsal for the real thing."""
    run = _run("simulate", "crm-down", folder=tmp_path)

    assert [line for line in run.stdout.splitlines() if not line.startswith("SIMULATION")] == []


def test_the_json_object_is_the_same_under_another_hash_seed(tmp_path: Path) -> None:
    """One seed is one world: verdict, totals and the log's fingerprint, byte for byte."""
    first = _run("simulate", "elevenlabs-grey", "--json", folder=tmp_path, PYTHONHASHSEED="1")
    second = _run("simulate", "elevenlabs-grey", "--json", folder=tmp_path, PYTHONHASHSEED="2")

    assert first.stdout == second.stdout
    document = json.loads(first.stdout)
    assert document["schema"] == "callagent.simulation/v1"
    assert document["verdict"] == "held"
    assert document["seed"] == 7
    assert document["ledger"]["placed"] == document["outcome"]["dialed"]
    assert len(document["log"]["sha256"]) == 64


def test_another_seed_is_another_world(tmp_path: Path) -> None:
    """The seed decides everything that is drawn by lot."""
    hashes = {
        _document("simulate", "llm-timeout", "--json", "--seed", seed, folder=tmp_path)["log"][
            "sha256"
        ]
        for seed in ("1", "2")
    }

    assert len(hashes) == 2


def test_a_broken_expectation_ends_with_1_and_shows_its_line(tmp_path: Path) -> None:
    """What did not hold has a ✗, the line of the log that broke it, and the exit code 1."""
    text = (ROOT / "scenarios" / "crm-down.yaml").read_text(encoding="utf-8")
    text = text.replace("dialed: 30", "dialed: 29").replace("name: crm-down", "name: wrong")
    never = "    - {event: breaker_changed, where: {service: crm}}\n"
    text = text.replace("  never:\n", f"  never:\n{never}")
    (tmp_path / "wrong.yaml").write_text(text, encoding="utf-8")

    run = _run("simulate", "wrong.yaml", folder=tmp_path)

    assert run.returncode == 1
    assert "✗ dialed 29: 30, not 29" in run.stdout
    assert '"event":"breaker_changed"' in run.stdout
    assert "BROKEN: 2 of" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("simulate", "elevenlabs-504"), "did you mean `elevenlabs-503`"),
        (("simulate", "missing.yaml"), "`missing.yaml` does not exist"),
        (("simulate", "elevenlabs-503", "--seed", "-1"), "seed -1 is out of range"),
        (("simulate", "elevenlabs-503", "--speed", "5"), "`--speed` goes with `--wire`"),
        (("simulate", "elevenlabs-503", "--wire", "--seeds", "3"), "do not go together"),
        (("simulate", "elevenlabs-503", "--wire", "--kill", "step:9"), "leave out `--wire`"),
        (("simulate", "late-listing", "--seeds", "3", "--kill", "step:9"), "in place of `--seeds"),
        (("simulate", "late-listing", "--seeds", "3", "--journal", "j"), "in place of `--seeds"),
        (("simulate", "elevenlabs-503", "--journal", "no/such/folder"), "cannot write"),
        (("simulate", "elevenlabs-503", "--compare", "missing.yaml"), "`missing.yaml`"),
        (("scenarios", "chek"), "did you mean `check`"),
        (("scenarios", "check"), "no file to check"),
        (("scenarios", "check", "missing.yaml"), "`missing.yaml` does not exist"),
        (("explore", "--minutes", "0"), "more than 0"),
        (("explore", "--minutes", "nan"), "must be a number"),
        (("explore", "--minutes", "inf"), "must be a number"),
        (("explore", "--seed", str(2**63 - 1), "--seeds", "5"), "is out of range"),
        (("simulate", "elevenlabs-503", "--tui", "--speed", "nan"), "`--speed nan` is no speed"),
    ],
)
def test_what_cannot_be_used_is_two_lines_and_exit_code_2(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    """A person learns what is wrong and what to do, and nothing was run."""
    run = _run(*arguments, folder=tmp_path)

    told = _told(run)
    assert run.returncode == 2
    assert [line.split(":")[0] for line in told] == ["error", "hint"]
    assert said in run.stderr


def test_no_file_that_is_checked_gets_the_hint_of_another(tmp_path: Path) -> None:
    """One hint stands under them all: what would help with one of them only is not said."""
    (tmp_path / "twice.yaml").write_text("name: a\nname: b\n", encoding="utf-8")

    both = _run("scenarios", "check", "twice.yaml", ".", folder=tmp_path)
    one = _run("scenarios", "check", "twice.yaml", "twice.yaml", folder=tmp_path)

    assert both.returncode == one.returncode == 2
    assert both.stderr.endswith(
        "hint: `callagent scenarios check FILE` says of one file what helps\n"
    )
    assert one.stderr.endswith("checks a file without running it\n")


def test_a_policy_that_cannot_work_is_refused_with_its_line(tmp_path: Path) -> None:
    """A window that never opens is found in the file that closes it, before any world runs."""
    written = "lanes: 2\ndialing:\n  window: {opens: '10:00', closes: '09:00'}\n"
    (tmp_path / "shut.yaml").write_text(written, encoding="utf-8")

    run = _run("simulate", "elevenlabs-503", "--compare", "shut.yaml", folder=tmp_path)

    assert run.returncode == 2
    assert run.stdout == ""
    assert "shut.yaml:3: `dialing.window` is never open" in run.stderr


def test_a_world_that_nothing_can_finish_names_who_hangs(tmp_path: Path) -> None:
    """The liveness bound says which calls wait, and for what."""
    text = (ROOT / "scenarios" / "elevenlabs-503.yaml").read_text(encoding="utf-8")
    text = text.replace("name: elevenlabs-503", "name: stuck").replace("for: 3m", "for: 5h")
    (tmp_path / "stuck.yaml").write_text(text, encoding="utf-8")

    run = _run("simulate", "stuck.yaml", folder=tmp_path)

    told = _told(run)
    assert run.returncode == 2
    assert "✗ finished: not finished after" in run.stdout
    assert "is pending at look_up" in run.stdout
    assert [line.split(":")[0] for line in told] == ["error", "hint"]
    assert "nothing can finish under `outage`: not finished after" in told[0]


def test_the_journal_holds_everything(tmp_path: Path) -> None:
    """Scenario, seed, versions, events, ledger and verdict stand in one JSON file."""
    _run("simulate", "elevenlabs-503", "--journal", "j.json", folder=tmp_path)

    journal = json.loads((tmp_path / "j.json").read_text(encoding="utf-8"))
    assert journal["schema"] == "callagent.simulation-journal/v1"
    assert journal["seed"] == 7
    assert journal["scenario"]["name"] == "elevenlabs-503"
    assert journal["verdict"]["status"] == "held"
    assert journal["events"][0]["event"] == "run_started"
    assert len(journal["placed"]) == 9
    assert len(journal["requests"]) > 100
    assert set(journal["versions"]) == {"callagent", "python"}


@pytest.mark.parametrize("named", ["late-listing.yaml", "link.yaml"])
def test_no_journal_takes_the_place_of_its_scenario(named: str, tmp_path: Path) -> None:
    """Whoever names the scenario twice keeps it, whatever it is called by."""
    text = (ROOT / "scenarios" / "late-listing.yaml").read_text(encoding="utf-8")
    (tmp_path / "late-listing.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "link.yaml").symlink_to("late-listing.yaml")

    run = _run("simulate", "late-listing.yaml", "--journal", named, folder=tmp_path)

    assert run.returncode == 2
    assert f"`{named}` is the scenario" in run.stderr
    assert (tmp_path / "late-listing.yaml").read_text(encoding="utf-8") == text


def test_a_sweep_sums_up_and_tells_how_to_replay(tmp_path: Path) -> None:
    """Many seeds are judged; the first that breaks is named with its command."""
    text = (ROOT / "scenarios" / "late-listing.yaml").read_text(encoding="utf-8")
    text = text.replace("name: late-listing", "name: wrong").replace("done: 3", "done: 2")
    (tmp_path / "wrong.yaml").write_text(text, encoding="utf-8")

    run = _run("simulate", "wrong.yaml", "--seeds", "2", "--seed", "5", folder=tmp_path)

    assert run.returncode == 1
    assert "BROKEN: 2 of 2 seeds" in run.stdout
    assert "replay the first: callagent simulate wrong.yaml --seed 5" in run.stdout


def test_settings_are_compared_on_the_same_world(tmp_path: Path) -> None:
    """A policy is chosen by evidence: one row for each settings file and one for the scenario."""
    eager = "services: {elevenlabs: {policy: {breaker: {failures: 2}}}}\nlanes: 3\n"
    (tmp_path / "eager.yaml").write_text(eager, encoding="utf-8")

    document = _document(
        "simulate", "elevenlabs-503", "--compare", "eager.yaml", "--json", folder=tmp_path
    )

    own, other = document["compared"]
    assert own["settings"] == "the scenario's own"
    assert own["totals"]["failed"] == 1
    assert other["settings"] == "eager.yaml"
    assert other["cost"]["mitigate_s"] < own["cost"]["mitigate_s"]


def test_settings_that_dial_nobody_twice_are_the_safe_ones(tmp_path: Path) -> None:
    """What a scenario breaks on purpose counts against the settings under which it breaks."""
    patient = "services: {elevenlabs: {lookup_grace_s: 300}}\n"
    (tmp_path / "patient.yaml").write_text(patient, encoding="utf-8")

    run = _run("simulate", "late-listing", "--compare", "patient.yaml", "--json", folder=tmp_path)

    own, other = json.loads(run.stdout)["compared"]
    assert run.returncode == 1
    assert len(own["unsafe"]) == 1
    assert own["unsafe"][0].startswith("✗ nobody_dialed_twice: ")
    assert other["unsafe"] == []


def test_the_comparison_is_one_table_within_80_columns(tmp_path: Path) -> None:
    """Each setting is a column and each measure a line."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("lanes: 3\n", encoding="utf-8")

    run = _run(
        "simulate", "elevenlabs-503", "--compare", "a.yaml", "--compare", "b.yaml", folder=tmp_path
    )

    lines = run.stdout.splitlines()
    table = lines[[line.split()[-2:] == ["a.yaml", "b.yaml"] for line in lines].index(True) :]
    assert len(table) == 12
    assert len({len(line) for line in table}) == 1
    assert max(map(len, table)) <= 80
    assert [line.split()[-3:] for line in table if "calls failed" in line] == [["1", "0", "0"]]


def test_the_table_of_long_names_fits_too(tmp_path: Path) -> None:
    """A long name stands above the table, and a letter in it."""
    names = [f"settings-for-the-{part}-of-the-year.yaml" for part in ("beginning", "end")]
    for name in names:
        (tmp_path / name).write_text("lanes: 3\n", encoding="utf-8")
    compared = [part for name in names for part in ("--compare", name)]

    run = _run("simulate", "elevenlabs-503", *compared, folder=tmp_path)

    lines = run.stdout.splitlines()[1:]  # The title is prose.
    letters = [line.split(maxsplit=1)[1] for line in lines if line.startswith("SIMULATION [")]
    assert letters == ["[a] the scenario's own", f"[b] {names[0]}", f"[c] {names[1]}"]
    assert [line.split()[1:] for line in lines if line.endswith("[c]")] == [["[a]", "[b]", "[c]"]]
    assert max(map(len, lines)) <= 80


def test_the_library_is_listed_with_one_line_each(tmp_path: Path) -> None:
    """Each scenario stands with its title."""
    run = _run("scenarios", folder=tmp_path)

    names = [line.split()[0] for line in run.stdout.splitlines()]
    assert run.returncode == 0
    assert sorted(names) == sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml"))


def test_ones_own_scenario_is_played_before_the_one_that_comes_with_callagent(
    tmp_path: Path,
) -> None:
    """Who edits the copy that `init` wrote rehearses what was edited, and is told so."""
    text = (ROOT / "scenarios" / "late-listing.yaml").read_text(encoding="utf-8")
    text = text.replace("lanes: 1", "lanes: 2")
    (tmp_path / "scenarios").mkdir()
    for name in ("late-listing", "my-outage"):
        mine = text.replace("name: late-listing", f"name: {name}")
        (tmp_path / "scenarios" / f"{name}.yaml").write_text(mine, encoding="utf-8")
    (tmp_path / "scenarios" / "half.yaml").write_text("callagent: scenario/v1\n", encoding="utf-8")

    edited, new = (
        _run("simulate", name, folder=tmp_path).stdout.splitlines()
        for name in ("late-listing", "my-outage")
    )
    listed = dict(
        line.split(maxsplit=1) for line in _run("scenarios", folder=tmp_path).stdout.splitlines()
    )

    assert edited[1] == "SIMULATION as it stands in scenarios/late-listing.yaml"
    assert edited[2].startswith("SIMULATION 3 contacts, 2 lanes, seed 7")
    assert new[1] == "SIMULATION as it stands in scenarios/my-outage.yaml"
    assert listed["my-outage"] == listed["late-listing"]
    assert listed["half"] == "cannot be used: `callagent scenarios check scenarios/half.yaml`"


def test_ctrl_c_prints_what_was_judged_so_far(tmp_path: Path) -> None:
    """Whoever loses patience still learns what is known, and that the rest is not decided."""
    text = (ROOT / "scenarios" / "day-long-outage.yaml").read_text(encoding="utf-8")
    # So long that it cannot end before the signal comes.
    text = text.replace("name: day-long-outage", "name: long").replace("at: 5m", "at: 0s")
    (tmp_path / "long.yaml").write_text(text, encoding="utf-8")
    command = [*PROGRAM, "simulate", "long.yaml"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environ,
    ) as process:
        assert process.stdout is not None
        # Its first line of the log says that the world is under way.
        assert any("breaker closed → open" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        shown, _ = process.communicate()

    assert process.returncode == 130
    assert "judged so far" in shown
    assert "✓ nobody_dialed_twice" in shown
    assert "finished: not decided yet" in shown
