"""How fast a million contacts are checked, and in how much memory.

Run it by hand: `PYTHONPATH=.:tests/contacts python tests/benchmarks/bench_contacts.py [ROWS]`. It
writes HubSpot-like files of invented people, once for each way in which numbers are written, reads
each as `contacts check` does for a live run, time zones included, in a process of its own, and
prints CPU seconds and peak memory. phonenumbers alone is timed before and after each of them: the
bound is one of a machine on which it reads 27,500 numbers a second. The ranges reserved for fiction
are too small for a million people, so digits are drawn at random; the files are deleted at the end,
and nothing is ever dialed. A workbook follows whose texts are all different, four on each row: the
most that its table of texts can hold of such a list. Then a tenth of the people is taken into a
store as `run` does it; what that takes beyond checking is printed. It returns 1 when a million rows
take more than 60 s of CPU on such a machine, or 200 MB, or loading a hundred thousand people more
than 3 s.
"""

import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))

import phonenumbers
from workbook_files import MAIN, relations, workbook

from callagent_cli.cli.contacts.importer import Importer
from callagent_cli.contacts.options import ReadOptions
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.store.suppressions import SuppressionList

AREAS = ("212", "305", "415", "512", "646", "907")
HEADER = ("Record ID", "First Name", "Last Name", "Phone Number", "Company", "Time Zone")
FIRST = ("Ada", "Grace", "Hélène", "Jürgen", "Linus", "María", "Olu", "Wei")
SHEET_ROWS_MAX = 1_048_575
CPU_S_MAX = 60.0
MEMORY_MB_MAX = 200
LOADING_S_MAX = 3.0
PEER_NUMBERS_S = 27_500
WHOLE = ("international", "national", "extension")
"""Layouts of which all rows are measured, for their memory; a fifth will do for the others."""

LAST = ("Byron", "Hopper", "Müller", "Ng", "O'Neil", "Torvalds")


def _area_and_rest(chance: random.Random) -> tuple[str, str]:
    return chance.choice(AREAS), str(chance.randint(2_000_000, 9_999_999))


def _mobile(chance: random.Random) -> str:
    return str(chance.randint(10_000_000, 99_999_999))


def _american(pattern: str) -> Callable[[random.Random], str]:
    def written(chance: random.Random) -> str:
        area, rest = _area_and_rest(chance)
        return pattern.format(area=area, first=rest[:3], last=rest[3:])

    return written


LAYOUTS: Final[dict[str, tuple[str, Callable[[random.Random], str]]]] = {
    "international": ("US", _american("+1{area}{first}{last}")),
    "national": ("US", _american("({area}) {first}-{last}")),
    "lost-plus": ("US", _american("1{area}{first}{last}")),
    "extension": ("US", _american("+1{area}{first}{last} ext 42")),
    "decimal": ("US", _american("{area}{first}{last}.0")),
    "german": ("DE", lambda chance: f"0151 {_mobile(chance)}"),
    "german-lost-plus": ("DE", lambda chance: f"49151{_mobile(chance)}"),
    "british": ("GB", lambda chance: f"074{_mobile(chance)}"),
}
"""How numbers are written, and the region they are read in."""


def write(path: Path, rows: int, number_of: Callable[[random.Random], str]) -> None:
    """Write a file of people, one in fifty twice and one in a hundred without a valid number."""
    chance = random.Random(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for row in range(rows):
            text = "555" if row % 100 == 0 else number_of(chance)
            person = (row, chance.choice(FIRST), chance.choice(LAST), text, "Acme, Inc.", "")
            out.writerow(person)
            if row % 50 == 1:
                out.writerow(person)


def write_workbook(path: Path, rows: int) -> None:
    """Write a workbook as Excel saves it, its texts in a table of their own, none of them twice."""
    chance = random.Random(rows)
    parts = {
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": workbook(),
        "xl/_rels/workbook.xml.rels": relations(
            ("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml")
        ),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as part:
            part.write(f'<sst xmlns="{MAIN}">'.encode())
            for text in ("Name", "Phone Number", "Company", "Note"):
                part.write(f"<si><t>{text}</t></si>".encode())
            for row in range(rows):
                number = f"+1{chance.choice(AREAS)}{chance.randint(2_000_000, 9_999_999)}"
                texts = (f"Person {row}", number, f"{row} &amp; Sons", f"what was said to {row}")
                part.write("".join(f"<si><t>{text}</t></si>" for text in texts).encode())
            part.write(b"</sst>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            part.write(f'<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            for row in range(1, rows + 2):
                cells = (
                    f'<c r="{column}{row}" t="s"><v>{4 * row - 4 + place}</v></c>'
                    for place, column in enumerate("ABCD")
                )
                part.write(f'<row r="{row}">{"".join(cells)}</row>'.encode())
            part.write(b"</sheetData></worksheet>")


def measure(path: Path, region: str) -> None:
    """Check the file once and print what it took as JSON; the process is the measurement's own."""
    options = ReadOptions(region=region)
    importer = Importer(path, options, "bench", source=path.name, allow_rejects=True)
    began_s, cpu_s = time.perf_counter(), time.process_time()
    report = importer.check(zones=True)
    found = {
        "rows": report.rows,
        "accepted": report.accepted,
        "duplicate": report.duplicate,
        "rejected": report.rejected_rows,
        "wall_s": time.perf_counter() - began_s,
        "cpu_s": time.process_time() - cpu_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(found))


def measured(path: Path, region: str) -> bool:
    """Check a file in a process of its own; return whether a million such rows keep the bounds."""
    command = [sys.executable, __file__, str(path), region]
    before = peer_speed()
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    speed = (before + peer_speed()) / 2
    found = json.loads(run.stdout)
    million_s = found["cpu_s"] / found["rows"] * 1_000_000
    scaled_s = million_s * speed
    print(
        f"{path.stem}: {found['rows']:,} rows in {found['wall_s']:.1f} s, {found['cpu_s']:.1f} s "
        f"of CPU; {million_s:.0f} s a million on a machine of speed {speed:.2f}, so {scaled_s:.0f} "
        f"(at most {CPU_S_MAX:.0f}); peak memory {found['peak_mb']:.0f} MB (at most "
        f"{MEMORY_MB_MAX}); {found['accepted']:,} accepted, {found['duplicate']:,} duplicate, "
        f"{found['rejected']:,} rejected",
        flush=True,
    )
    return bool(scaled_s <= CPU_S_MAX and found["peak_mb"] <= MEMORY_MB_MAX)


def peer_speed() -> float:
    """Return how many numbers phonenumbers alone reads, in parts of 27,500 a CPU second."""
    chance = random.Random(1)
    numbers = [LAYOUTS["international"][1](chance) for _ in range(10_000)]
    began_s = time.process_time()
    for text in numbers:
        number = phonenumbers.parse(text)
        phonenumbers.is_possible_number(number)
        phonenumbers.is_valid_number(number)
    return len(numbers) / (time.process_time() - began_s) / PEER_NUMBERS_S


def loaded(path: Path) -> bool:
    """Check a file, then load it into new stores; return whether the difference is small.

    Of three turns the quickest of each counts: what one differs by is the machine's.
    """
    options = ReadOptions(region="US")
    checking_s: list[float] = []
    loading_s: list[float] = []
    for turn in range(3):
        began_s = time.process_time()
        Importer(path, options, "bench", source=path.name).check(zones=True)
        checking_s.append(time.process_time() - began_s)
        store = SqliteStore.open(path.with_name(f"{turn}.db"))
        known = SuppressionList.open(path.with_name(f"suppressions-{turn}.db"))
        importer = Importer(path, options, "bench", source=path.name)
        began_s = time.process_time()
        report = importer.load(store, now_utc_s=0.0, zones=True, suppressions=known)
        loading_s.append(time.process_time() - began_s)
        store.close()
        known.close()
    beyond_s = min(loading_s) - min(checking_s)
    print(
        f"loading {report.accepted:,} people: {beyond_s:.1f} s of CPU beyond checking's "
        f"{min(checking_s):.1f} s (at most {LOADING_S_MAX:.0f} s for 100,000)"
    )
    return beyond_s / report.accepted * 100_000 <= LOADING_S_MAX


def main() -> int:
    """Measure each kind of file; return 1 when one misses its bound."""
    if len(sys.argv) > 2:
        measure(Path(sys.argv[1]), sys.argv[2])
        return 0
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    held = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (region, number_of) in LAYOUTS.items():
            path = Path(folder) / f"{name}.csv"
            write(path, rows if name in WHOLE else rows // 5, number_of)
            held.append(measured(path, region))
            path.unlink()
        path = Path(folder) / "workbook.xlsx"
        write_workbook(path, min(rows, SHEET_ROWS_MAX))
        held.append(measured(path, "US"))
        path = Path(folder) / "load.csv"
        write(path, rows // 10, LAYOUTS["international"][1])
        held.append(loaded(path))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
