"""Sandbox runs whose steps take no time: calls a second, and memory that must not grow.

Run it with `python tests/benchmarks/bench_sandbox.py [--profile]`. Each run is `callagent run` as
a process with 50 lanes against a sandbox of its own process, so that the worker's time and memory
are seen alone; the memory of 20,000 contacts is printed beside that of 1,000.
"""

import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

LANES: Final = 50
MEBIBYTE: Final = 1024
SETTINGS: Final = {"sandbox": {"pace": 0}, "dialing": {"max_dials": 1}, "lanes": LANES}
PROFILED: Final = """
import cProfile, pstats, sys
from callagent_cli.cli.app import exit_code_of
profile = cProfile.Profile()
profile.runcall(exit_code_of, sys.argv[1:])
pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(35)
"""


class Measured(NamedTuple):
    """One run: its contacts, how long it took, and the most memory it held."""

    contacts: int
    seconds: float
    cpu_s: float
    peak_mib: float

    @property
    def calls_per_s(self) -> float:
        """Contacts a second, the start of the process included."""
        return self.contacts / self.seconds


def measure(contacts: int, *, own_sandbox: bool, profiled: bool = False) -> Measured:
    """Run a campaign of that size to its end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "callagent.yaml").write_text(json.dumps(SETTINGS), encoding="utf-8")
        _write_contacts(folder / "contacts.csv", contacts)
        sandbox = _sandbox(folder) if own_sandbox else None
        try:
            return _run(folder, contacts, profiled=profiled)
        finally:
            if sandbox is not None:
                sandbox.terminate()
                sandbox.communicate()


def _run(folder: Path, contacts: int, *, profiled: bool) -> Measured:
    program = ["-c", PROFILED] if profiled else ["-m", "callagent_cli"]
    with (folder / "output.txt").open("wb") as output:
        began_s = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *program, "run", "contacts.csv"],
            cwd=folder,
            stdout=output,
            stderr=None if profiled else output,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began_s
        process.returncode = os.waitstatus_to_exitcode(status)
    text = (folder / "output.txt").read_text(encoding="utf-8")
    if f"{contacts:,} contacts: {contacts:,} done" not in text:
        sys.exit(f"the run did not finish:\n{text[-2000:]}")
    return Measured(contacts, seconds, _cpu_s(used), used.ru_maxrss / MEBIBYTE)


def _cpu_s(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


def _sandbox(folder: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-m", "callagent_cli", "sandbox"], cwd=folder, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    while b"ready" not in process.stdout.readline():
        pass
    return process


def _write_contacts(path: Path, contacts: int) -> None:
    """Write people with different extensions of the numbers reserved for fiction."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "phone", "extension", "timezone"])
        for index in range(contacts):
            number = f"+44207946{index % 1000:04d}"
            writer.writerow([f"Person {index}", number, index // 1000 + 1, "Europe/London"])


def main() -> None:
    """Measure and print."""
    if "--profile" in sys.argv[1:]:
        measure(1_000, own_sandbox=True, profiled=True)
        return
    print(f"sandbox runs whose steps take no time, {LANES} lanes")
    small = measure(1_000, own_sandbox=True)
    inside = measure(1_000, own_sandbox=False)
    for label, run in (("sandbox beside", small), ("sandbox inside", inside)):
        print(
            f"  {label}: {run.contacts:,} contacts in {run.seconds:.1f} s: "
            f"{run.calls_per_s:.0f} calls/s, {run.cpu_s:.1f} s of CPU, peak {run.peak_mib:.0f} MiB"
        )
    large = measure(20_000, own_sandbox=True)
    print(
        f"  sandbox beside: {large.contacts:,} contacts in {large.seconds:.0f} s: "
        f"{large.calls_per_s:.0f} calls/s, peak {large.peak_mib:.0f} MiB, "
        f"{large.peak_mib / small.peak_mib:.2f} × that of {small.contacts:,}"
    )


if __name__ == "__main__":
    main()
