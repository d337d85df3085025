"""The summary of a run, `status`, `export` and the sandbox's own ledger say the same."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

from contact_commands import exported, in_a_process

from callagent_cli.simulation.sandbox.sandbox import read_ledger

PEOPLE = 60


def _contacts(folder: Path) -> int:
    """Write people, some twice and some who must not be called; return how many there are."""
    with (folder / "contacts.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "phone", "dnc", "note"])
        for index in range(PEOPLE):
            person = [
                f"P {index}",
                f"+121255501{index:02d}",
                "yes" if index % 20 == 0 else "",
                "=1",
            ]
            writer.writerow(person)
            if index % 10 == 5:
                writer.writerow(person)
        writer.writerow(["No number", "", "", ""])
    return PEOPLE


def test_everybody_who_tells_of_a_run_agrees_to_the_contact(tmp_path: Path) -> None:
    """States, results, dials, conversations, seconds and credits are the same everywhere."""
    settings = {"lanes": 8, "sandbox": {"pace": 0.02, "redial_scale": 0.00002}}
    (tmp_path / "callagent.yaml").write_text(json.dumps(settings), encoding="utf-8")
    people = _contacts(tmp_path)

    run = in_a_process("run", "contacts.csv", "--headless", folder=tmp_path)
    status = in_a_process("status", "--json", folder=tmp_path).document
    lines = in_a_process("export", "--format", "jsonl", folder=tmp_path).out.splitlines()
    flat = exported(in_a_process("export", folder=tmp_path).out)
    ledger = read_ledger(tmp_path / ".callagent")

    assert run.code == 0, run.err
    rows = [json.loads(line) for line in lines]
    states = Counter(row["state"] for row in rows)
    left_out = [row["reason"] for row in rows if row["state"] == "excluded"]
    results = Counter(row["outcome"] for row in rows if row["outcome"])
    assert len(rows) == len({(row["number"], row["extension"]) for row in rows}) == people
    assert [row["number"] for row in flat] == [f"'{row['number']}" for row in rows]
    assert {state: count for state, count in status["totals"].items() if count} == states
    assert status["contacts"] == people
    assert left_out == ["the do-not-call column says not to call"] * 3
    assert status["results"] == results

    summary = next(line for line in run.out.splitlines() if f"{people} contacts: " in line)
    told = {state: int(count) for count, state in re.findall(r"(\d+) ([a-z]+)(?=,|$)", summary)}
    assert told == dict(states)
    said = next(line for line in run.out.splitlines() if line.startswith("  results: "))
    counts = {words.replace(" ", "_"): int(n) for n, words in re.findall(r"(\d+) ([a-z ]+)", said)}
    assert counts == dict(results)

    placed = Counter(call.number for call in ledger.placed())
    assert {row["number"]: row["dials"] for row in rows if row["dials"]} == placed
    conversations = {
        dial["conversation"] for row in rows for dial in row["attempts"] if dial["conversation"]
    }
    assert conversations == {call.conversation for call in ledger.placed()}
    last = {call.number: call.conversation for call in ledger.placed()}
    assert {row["number"]: row["conversation"] for row in rows if row["dials"]} == last
