"""The import report counts rows, `status` counts people: the report explains both."""

import tempfile
from contextlib import closing
from pathlib import Path

from contact_commands import Desk
from contact_files import ANN, BOB, EVE
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.calls.model import CallState
from callagent_cli.cli.contacts.importer import Importer
from callagent_cli.contacts.options import ReadOptions
from callagent_cli.store.sqlite_store import SqliteStore

NUMBERS = [
    *(ANN, BOB, EVE, "+870773111632", "12", ""),
    *(f"{ANN}; {BOB}", f"{BOB}; {EVE}", f"{BOB} do not call"),
]
ROWS = st.lists(
    st.tuples(st.sampled_from(NUMBERS), st.sampled_from(["", "7"]), st.sampled_from("yn? ")),
    min_size=1,
    max_size=30,
)


def _file(rows: list[tuple[str, str, str]]) -> str:
    return "phone,ext,dnc\n" + "".join(f"{','.join(row)}\n" for row in rows)


@given(rows=ROWS, zones=st.booleans())
def test_the_people_of_a_report_are_the_contacts_of_the_campaign(
    rows: list[tuple[str, str, str]], zones: bool
) -> None:
    """Whatever a file repeats, marks and leaves empty: to call and excluded, both agree."""
    with tempfile.TemporaryDirectory() as folder, closing(SqliteStore.open(None)) as store:
        path = Path(folder) / "contacts.csv"
        path.write_text(_file([*rows, (ANN, "99", "")]), encoding="utf-8")
        options = ReadOptions(allow_fiction=True)
        importer = Importer(path, options, "spring", source=path.name, allow_rejects=True)
        report = importer.load(store, now_utc_s=1.0, zones=zones)
        totals = store.totals("spring")

    assert report.people == sum(totals.values())
    assert report.left_out == totals.get(CallState.EXCLUDED, 0)
    assert report.accepted == totals.get(CallState.PENDING, 0)


def test_the_report_says_why_it_counts_more_excluded_rows_than_people(desk: Desk) -> None:
    """A person who is marked twice and a mark without a number are rows, not people."""
    rows = f"phone,dnc\n{ANN},yes\n{ANN},yes\n12,yes\n{BOB},\n"
    said = desk.say("contacts", "check", desk.write(rows))

    assert "contacts.csv: 4 rows: 1 new, 3 excluded" in said.out
    told = "  2 people: 1 to call, 1 excluded; 2 more excluded rows repeat one of them or hold no"
    assert told in said.out


def test_a_report_without_exclusions_says_no_more_than_its_rows(desk: Desk) -> None:
    """Rows and people are the same then."""
    said = desk.say("contacts", "check", desk.write(f"phone\n{ANN}\n"))

    assert said.out == "SANDBOX contacts.csv: 1 row: 1 new\n"
