"""The benchmarks are programs that `.ci/long` starts; what a change breaks in them shows here."""

import subprocess
import sys
from pathlib import Path

import pytest
from source_tree import ROOT, TESTS

BENCHMARKS = sorted((TESTS / "benchmarks").glob("bench_*.py"))
LOAD = """
import runpy, sys
sys.path[0] = sys.argv[1]
runpy.run_path(sys.argv[2], run_name="loaded")
"""


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_finds_all_it_imports(path: Path) -> None:
    """It is loaded as a program is, without what pytest adds to the path, and measures nothing."""
    command = [sys.executable, "-c", LOAD, str(path.parent), str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert (run.returncode, run.stderr) == (0, "")
