"""How fast a million contacts are checked, and in how much memory.

Run it by hand: `PYTHONPATH=.:tests/contacts python tests/benchmarks/bench_contacts.py [ROWS]`. It
writes a HubSpot-like file of invented people, reads it in a process of its own, and prints rows a
second, CPU seconds and peak memory: once with numbers in E.164, once as they are written at home.
The ranges reserved for fiction are too small for a million people, so digits are drawn at random;
the file is deleted at the end, and nothing is ever dialed. A workbook follows whose texts are all
different, four on each row, which is the most that its table of texts can hold of such a list. Then
a tenth of the people is taken into a store as `run` does it, with the zones of a live run; what
that takes beyond checking is printed.
"""

import csv
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))

from workbook_files import MAIN, relations, workbook

from callagent_cli.cli.contacts.importer import Importer
from callagent_cli.contacts.options import LeftOut, ReadOptions
from callagent_cli.contacts.reader import read_people
from callagent_cli.contacts.report import ImportReport
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.store.suppressions import SuppressionList

AREAS = ("212", "305", "415", "512", "646", "907")
HEADER = ("Record ID", "First Name", "Last Name", "Phone Number", "Company", "Time Zone")
FIRST = ("Ada", "Grace", "Hélène", "Jürgen", "Linus", "María", "Olu", "Wei")
SHEET_ROWS_MAX = 1_048_575
LAST = ("Byron", "Hopper", "Müller", "Ng", "O'Neil", "Torvalds")


def write(path: Path, rows: int, *, national: bool) -> None:
    """Write a file of people, one in fifty twice and one in a hundred without a valid number."""
    chance = random.Random(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for row in range(rows):
            number = f"{chance.choice(AREAS)}{chance.randint(2_000_000, 9_999_999)}"
            number = "555" if row % 100 == 0 else number
            text = f"({number[:3]}) {number[3:6]}-{number[6:]}" if national else f"+1{number}"
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


def measure(path: Path) -> None:
    """Read the file once and print what it took; the process is this measurement's own."""
    report = ImportReport()
    began_s, cpu_s = time.perf_counter(), time.process_time()
    people = read_people(path, ReadOptions(region="US"), report=report)
    contacts = sum(not isinstance(person, LeftOut) for person in people)
    took_s, used_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = (
        f"{path.stem}: {report.rows:,} rows in {took_s:.1f} s ({used_s:.1f} s of CPU), "
        f"{report.rows / took_s:,.0f} rows/s, peak memory {peak_mb:.0f} MB; "
        f"{contacts:,} accepted, {report.duplicate:,} duplicate, {report.rejected_rows:,} rejected"
    )
    sys.stdout.write(line + "\n")


def measure_loading(path: Path) -> None:
    """Check a file, then load it into a new store, and print the difference in CPU seconds."""
    options = ReadOptions(region="US")
    began_s = time.process_time()
    Importer(path, options, "bench", source=path.name).check(zones=True)
    checking_s = time.process_time() - began_s
    store = SqliteStore.open(path.with_suffix(".db"))
    known = SuppressionList.open(path.with_name("suppressions.db"))
    importer = Importer(path, options, "bench", source=path.name)
    began_s = time.process_time()
    report = importer.load(store, now_utc_s=0.0, zones=True, suppressions=known)
    loading_s = time.process_time() - began_s
    store.close()
    known.close()
    beyond_s = loading_s - checking_s
    print(f"loading {report.accepted:,} people: {beyond_s:.1f} s of CPU beyond {checking_s:.1f} s")


def main() -> None:
    """Measure each kind of file, each in a fresh process so that peak memory is its own."""
    if len(sys.argv) > 1 and not sys.argv[1].isdecimal():
        measure(Path(sys.argv[1]))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        for name, national in (("international", False), ("national", True)):
            path = Path(folder) / f"{name}.csv"
            write(path, rows, national=national)
            subprocess.run([sys.executable, __file__, str(path)], check=True)
        path = Path(folder) / "workbook.xlsx"
        write_workbook(path, min(rows, SHEET_ROWS_MAX))
        subprocess.run([sys.executable, __file__, str(path)], check=True)
        path = Path(folder) / "load.csv"
        write(path, rows // 10, national=False)
        measure_loading(path)


if __name__ == "__main__":
    main()
