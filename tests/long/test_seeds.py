"""Every scenario of the library holds under a hundred seeds, and on every interpreter alike."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from callagent_cli.simulation.scenario.loader import library, load_scenario
from callagent_cli.simulation.sweep.sweep import sweep

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 100
ALIKE = ("elevenlabs-503", "flapping-elevenlabs", "total-network-outage")
FEW = {"day-long-outage": 1}


@pytest.mark.parametrize("path", library(), ids=lambda path: path.stem)
def test_a_scenario_holds_under_many_seeds(path: Path) -> None:
    """No seed breaks an expectation."""
    scenario = load_scenario(path).scenario

    seeds = range(FEW.get(path.stem, SEEDS))
    broken = {
        result.seed: result.broken for result in sweep(scenario, seeds) if result.status != "held"
    }

    assert broken == {}


def _fingerprints(python: str, hash_seed: str) -> list[Any]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed}
    runs = [
        subprocess.run(
            [python, "-m", "callagent_cli", "simulate", name, "--json"],
            capture_output=True,
            text=True,
            check=True,
            env=environ,
        )
        for name in ALIKE
    ]
    return [json.loads(run.stdout)["log"] for run in runs]


def test_the_log_is_the_same_under_every_hash_seed() -> None:
    """The order of sets and dictionaries never reaches the log."""
    first = _fingerprints(sys.executable, "0")

    assert _fingerprints(sys.executable, "1") == _fingerprints(sys.executable, "12345") == first


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_log_is_the_same_on_every_interpreter(version: str) -> None:
    """CPython 3.11 to 3.13 compute the same bytes.

    `CALLAGENT_PYTHON_312` and so on name interpreters that have callagent's dependencies.
    """
    named = os.environ.get(f"CALLAGENT_PYTHON_{version.replace('.', '')}", "")
    python = shutil.which(named) if named else None
    if python is None:
        pytest.skip(f"no Python {version} with callagent's dependencies was named")

    assert _fingerprints(python, "3") == _fingerprints(sys.executable, "4")
