"""`callagent export`: every contact once, safe for spreadsheets, exact for programs."""

import csv
import io
import json
from pathlib import Path

import pytest
from contact_commands import INSTANT, Desk, exported
from contact_files import ANN, BOB
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.calls.model import Call, CallState, Contact, Dial, DialStatus
from callagent_cli.cli.campaign.export_rows import CSV_HEADER, contact_row, csv_cells, json_line
from callagent_cli.cli.text.spreadsheet import csv_line, safe_cell
from callagent_cli.settings import ElevenLabs
from callagent_cli.store.port import Campaign
from callagent_cli.store.sqlite_store import SqliteStore

CAMPAIGN = Campaign(name="spring", source="c.csv", source_sha256="", created_utc_s=1.0)
COMPUTED = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def _fill(folder: Path, calls: list[Call]) -> None:
    store = SqliteStore.open(folder / ".callagent/sandbox.db")
    store.save_campaign(CAMPAIGN)
    store.add_calls(calls)
    store.close()


def _call(line: int, state: CallState, **more: object) -> Call:
    contact = Contact(line=line, number=f"+121255501{line:02d}", name=f"P {line}")
    return Call(id=f"call_{line}", campaign="spring", contact=contact, state=state).evolve(**more)


def test_every_contact_is_exported_once_whatever_its_state(desk: Desk) -> None:
    """One row a contact in the order of the file, in both formats."""
    _fill(desk.folder, [_call(line, state) for line, state in enumerate(CallState, start=2)])

    rows = exported(desk.say("export", "--campaign", "spring").out)
    documents = [
        json.loads(line) for line in desk.say("export", "--format", "jsonl").out.splitlines()
    ]

    assert [row["state"] for row in rows] == [state.value for state in CallState]
    assert [row["state"] for row in documents] == [state.value for state in CallState]


def test_a_contact_tells_all_that_became_of_it(desk: Desk) -> None:
    """Outcome, reason, dials, times, conversation, duration and cost stand in their columns."""
    _fill(
        desk.folder,
        [
            _call(
                2,
                CallState.DONE,
                reason="answered",
                result="answered",
                dials=2,
                conversation="conv_b",
                updated_utc_s=100.0,
                results={"follow": {"duration_s": 12.5, "cost": 30, "opted_out": "asked"}},
            )
        ],
    )
    store = SqliteStore.open(desk.folder / ".callagent/sandbox.db")
    for at_utc_s, conversation in ((10.0, "conv_a"), (50.0, "conv_b")):
        store.save_dial(
            Dial(
                id=f"dial_{conversation}",
                call="call_2",
                number=ANN,
                status=DialStatus.PLACED,
                intended_utc_s=at_utc_s,
                conversation=conversation,
            )
        )
    store.close()

    row = exported(desk.say("export").out)[0]
    document = json.loads(desk.say("export", "--format", "jsonl").out)

    assert row["outcome"] == row["reason"] == "answered"
    assert (row["dials"], row["duration_s"], row["cost"]) == ("2", "12.5", "30.0")
    assert (row["first_dialed"], row["last_dialed"]) == (
        "1970-01-01T00:00:10.000Z",
        "1970-01-01T00:00:50.000Z",
    )
    assert (row["conversation"], row["opted_out"]) == ("conv_b", "true")
    assert document["number"] == "+12125550102"
    assert [dial["conversation"] for dial in document["attempts"]] == ["conv_a", "conv_b"]


def test_a_real_conversation_has_a_link_and_a_pretended_one_has_none() -> None:
    """The link opens the conversation on the platform; its id is quoted."""
    call = _call(2, CallState.DONE, conversation="conv/1")
    url = ElevenLabs().conversation_url

    assert contact_row(call, [], conversation_url="").link == ""
    assert contact_row(call, [], conversation_url=url).link.endswith("/agents/history/conv%2F1")
    assert contact_row(call, [], conversation_url="http://x/?").link == "http://x/?conv%2F1"
    assert contact_row(_call(2, CallState.DONE), [], conversation_url=url).link == ""


@given(texts=st.lists(st.text(max_size=20), min_size=3, max_size=3), sign=st.sampled_from(COMPUTED))
def test_no_cell_of_a_csv_row_is_computed_or_steers_a_terminal(texts: list[str], sign: str) -> None:
    """Whatever names, reasons and columns hold, a spreadsheet takes it for text."""
    name, reason, variable = texts
    call = _call(2, CallState.FAILED, reason=sign + reason)
    contact = Contact(line=2, number=ANN, name=f" {sign}{name}", variables={"x": variable})
    row = contact_row(
        call.evolve(contact=contact), [], conversation_url=ElevenLabs().conversation_url
    )

    line = csv_line(csv_cells(row))

    cells = next(csv.reader(io.StringIO(line, newline="")))
    assert len(cells) == len(CSV_HEADER)
    assert not any(cell.lstrip().startswith(COMPUTED) for cell in cells)
    assert line.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("Ann;=1+1", "Ann;'=1+1"),
        ("Ann; @SUM(1)", "Ann; '@SUM(1)"),
        ("Ann;+cmd|'/c calc'!A0", "Ann;'+cmd|'/c calc'!A0"),
        ("Ann\n=1+1", "Ann\n'=1+1"),
        ("x; +1 212 555 0101", "x; +1 212 555 0101"),
        ("a; b", "a; b"),
    ],
)
def test_a_cell_is_safe_where_a_semicolon_divides_cells(cell: str, written: str) -> None:
    """In half of Europe a spreadsheet makes two cells of it, and computes neither."""
    assert safe_cell(cell) == written


@given(
    name=st.text(),
    variables=st.dictionaries(st.text(), st.text(), max_size=4),
    reason=st.text(),
)
def test_json_lines_are_exact(name: str, variables: dict[str, str], reason: str) -> None:
    """What was stored comes back to the character, on one line."""
    contact = Contact(line=2, number=BOB, name=name, variables=variables)
    row = contact_row(
        _call(2, CallState.DONE, contact=contact, reason=reason), [], conversation_url=""
    )

    line = json_line(row)

    read = json.loads(line)
    assert line.count(b"\n") == 1
    assert (read["name"], read["reason"], read["variables"]) == (name, reason, variables)


def test_a_file_is_private_whole_and_named_by_its_suffix(desk: Desk) -> None:
    """Only its owner reads it; spreadsheets see UTF-8; the old one is replaced at the end."""
    _fill(desk.folder, [_call(2, CallState.DONE)])
    desk.write("old", "out.csv")

    first = desk.say("export", "--output", "out.csv")
    second = desk.say("export", "--output", "out.jsonl")

    data = (desk.folder / "out.csv").read_bytes()
    assert (first.code, first.out) == (0, "")
    assert "1 contact of campaign spring in out.csv" in first.err
    assert data.startswith(b"\xef\xbb\xbfline,name,number")
    assert json.loads((desk.folder / "out.jsonl").read_text())["name"] == "P 2"
    assert second.code == 0
    for name in ("out.csv", "out.jsonl"):
        assert (desk.folder / name).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in desk.folder.iterdir() if path.name.startswith(".")) == [
        ".callagent"
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("export", "--format", "xml"), "knows no `xml`"),
        (("export", "--campaign", "sprig"), "no campaign `sprig`"),
        (("export", "--output", "nowhere/out.csv"), "cannot write `nowhere/out.csv`"),
    ],
)
def test_a_wrong_export_is_explained(desk: Desk, arguments: tuple[str, ...], message: str) -> None:
    """Each ends with 2, a reason and a hint."""
    _fill(desk.folder, [_call(2, CallState.DONE)])

    said = desk.say(*arguments)

    assert (said.code, said.out) == (2, "")
    assert message in said.err
    assert "hint: " in said.err


def test_an_export_shows_one_moment_while_a_worker_writes(desk: Desk) -> None:
    """A call that moves on between two rows is neither missed nor told twice."""
    desk.write(json.dumps(INSTANT), "callagent.yaml")
    _fill(desk.folder, [_call(line, CallState.PENDING) for line in range(2, 12)])
    reader = SqliteStore.open(desk.folder / ".callagent/sandbox.db", read_only=True)
    writer = SqliteStore.open(desk.folder / ".callagent/sandbox.db")

    with reader.snapshot():
        calls = reader.calls("spring")
        seen = [next(calls)]
        for line in range(2, 12):
            writer.save_call(_call(line, CallState.DONE))
        writer.flush()
        seen += list(calls)
    after = list(reader.calls("spring"))
    writer.close()
    reader.close()

    assert [call.contact.line for call in seen] == list(range(2, 12))
    assert {call.state for call in seen} == {CallState.PENDING}
    assert {call.state for call in after} == {CallState.DONE}
