"""Every scenario of the library holds under a hundred seeds, and on every interpreter alike."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from short_day import DAY, day_of

from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import library, load_scenario
from callagent_cli.simulation.sweep.sweep import sweep

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 100
ALIKE = ("elevenlabs-503", "flapping-elevenlabs", "total-network-outage")
SMALL = 600
PLACES = (
    ("/usr", "bin"),
    ("/usr/local", "bin"),
    ("/opt", "*/bin"),
    (Path.home(), ".pyenv/versions/*/bin"),
    (Path.home(), ".local/bin"),
)
"""Where interpreters are, besides the PATH."""


@pytest.mark.parametrize("path", library(), ids=lambda path: path.stem)
def test_a_scenario_holds_under_many_seeds(path: Path) -> None:
    """No seed breaks an expectation."""
    scenario = day_of(SMALL) if path.stem == DAY else load_scenario(path).scenario

    assert _broken(scenario, range(SEEDS)) == {}


def test_the_whole_day_holds() -> None:
    """Ten thousand contacts, once."""
    assert _broken(day_of(10_000), range(1)) == {}


def _broken(scenario: Scenario, seeds: range) -> dict[int, list[str]]:
    return {
        result.seed: result.broken for result in sweep(scenario, seeds) if result.status != "held"
    }


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


def _interpreter(version: str) -> str | None:
    """Return a Python of a version that starts; a shim on the PATH may stand for none."""
    if sys.version_info[:2] == tuple(int(part) for part in version.split(".")):
        return sys.executable
    name = f"python{version}"
    places = [place for root, folders in PLACES for place in sorted(Path(root).glob(folders))]
    candidates = [shutil.which(name), *(str(place / name) for place in places)]
    for candidate in candidates:
        if candidate is None or not Path(candidate).exists():
            continue
        run = subprocess.run([candidate, "-c", "import venv"], capture_output=True, check=False)
        if run.returncode == 0:
            return candidate
    return None


def _with_dependencies(python: str, folder: Path) -> str:
    """Return an interpreter beside which callagent's dependencies are, as they are pinned."""
    if python == sys.executable:
        return python
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    install = ["-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt")]
    own = str(folder / "bin" / "python")
    subprocess.run([own, *install, *project["dependencies"]], check=True)
    return own


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_log_is_the_same_on_every_interpreter(version: str, tmp_path: Path) -> None:
    """CPython 3.11 to 3.13 compute the same bytes, each where there is one."""
    python = _interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")

    other = _with_dependencies(python, tmp_path / "venv")

    assert _fingerprints(other, "3") == _fingerprints(sys.executable, "4")
