"""Lines of a rehearsal on a terminal, however narrow it is."""

import io

import pytest

from callagent_cli.cli.simulate import labels, sweep
from callagent_cli.cli.text.output import Output
from callagent_cli.simulation.judge.cost import Cost
from callagent_cli.simulation.scenario.loader import find_scenario, load_scenario
from callagent_cli.simulation.sweep.sweep import SeedResult


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _narrow(terminal: _Terminal, columns: int, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("NO_COLOR", "1")
    patch.setenv("COLUMNS", str(columns))
    for module in (labels, sweep):
        patch.setattr(module, "standard_output", lambda: Output(terminal))


@pytest.mark.parametrize("columns", [1, 10, 11, 12, 25, 40, 80, 300])
def test_a_terminal_of_any_width_gets_whole_words(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the label's own width there is nothing left to wrap into, and the words come out."""
    text = "elevenlabs-503: three minutes of 503, and every call is made"
    terminal = _Terminal()
    _narrow(terminal, columns, monkeypatch)
    labels.print_labeled(text)

    lines = terminal.getvalue().splitlines()
    assert all(line.startswith("SIMULATION ") for line in lines)
    assert all(len(line) <= max(columns, 31) for line in lines)
    assert " ".join(line.removeprefix("SIMULATION").strip() for line in lines) == text


def test_a_sweep_gets_whole_words_but_its_command_as_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was found under a seed is read; the command under it is copied."""
    terminal = _Terminal()
    _narrow(terminal, 60, monkeypatch)
    cost = Cost(
        calls_delayed=0,
        calls_failed=0,
        calls_protected=0,
        requests_wasted=0,
        detect_s=36.0,
        mitigate_s=36.0,
        recover_s=75.6,
    )
    broken = ["✗ outage struck: nobody met this fault, which began at 10s"]
    name = "a-folder-with-a-long-name/and-a-scenario-with-a-long-name.yaml"
    result = SeedResult(seed=0, status="broken", broken=broken, totals={}, cost=cost, log_sha256="")
    monkeypatch.setattr(sweep, "sweep", lambda *_, **__: iter([result]))

    sweep.run_sweep(
        load_scenario(find_scenario("elevenlabs-503")).scenario, name, first=0, count=1, json=False
    )

    command = f"SIMULATION replay the first: callagent simulate {name} --seed 0"
    lines = terminal.getvalue().splitlines()
    assert command in lines
    assert all(len(line) <= 60 for line in lines if line != command)
