"""What `run` does with a contacts file: all of it or nothing, once, and nobody who must not be."""

import json

import pytest
from contact_commands import INSTANT, Desk, closed_window, exported
from contact_files import ANN, BOB, EVE

from callagent_cli.store.sqlite_store import SqliteStore


@pytest.fixture(autouse=True)
def _instant(desk: Desk) -> None:
    desk.write(json.dumps(INSTANT), "callagent.yaml")


def _run(desk: Desk, name: str, *more: str) -> tuple[int, str, str]:
    said = desk.say("run", name, "--headless", "--campaign", "spring", *more)
    return said.code, said.out, said.err


def _called(desk: Desk) -> dict[str, str]:
    """Return the exported state of each number."""
    rows = exported(desk.say("export", "--campaign", "spring").out)
    return {row["number"].lstrip("'"): row["state"] for row in rows}


def _stored(desk: Desk) -> list[str]:
    store = SqliteStore.open(desk.folder / ".callagent/sandbox.db", read_only=True)
    try:
        return [campaign.name for campaign in store.campaigns()]
    finally:
        store.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f'name,phone\nAnn,{ANN}\n"Bob,{BOB}\n', "quote opened on line 3 is never closed"),
        (f"name,phone\nAnn,{ANN}\nBob,12\n", "1 of 2 rows cannot be used"),
    ],
)
def test_a_file_that_is_refused_changes_nothing(desk: Desk, text: str, message: str) -> None:
    """Not even the campaign is stored, and a later good file begins it."""
    code, out, err = _run(desk, desk.write(text))

    assert code == 2
    assert message in err
    assert "called" not in out
    assert _stored(desk) == []
    assert _run(desk, desk.write(f"phone\n{EVE}\n"))[0] == 0
    assert _called(desk) == {EVE: "done"}


def test_many_rejects_are_accepted_when_asked_for(desk: Desk) -> None:
    """`--allow-rejects` calls whoever can be called."""
    code, _, _ = _run(desk, desk.write(f"phone\n{ANN}\n12\n13\n"), "--allow-rejects")

    assert code == 0
    assert _called(desk) == {ANN: "done"}


def test_the_same_file_is_recognized_and_a_changed_one_adds_the_new_people(desk: Desk) -> None:
    """Content counts, not the name; other options may find other people, so they are read anew."""
    _run(desk, desk.write(f"phone\n{ANN}\n"))

    again = _run(desk, desk.write(f"phone\n{ANN}\n", "copy.csv"))
    other = _run(desk, "copy.csv", "--region", "US")
    changed = _run(desk, desk.write(f"phone\n{ANN}\n{BOB}\n"))

    assert "copy.csv: the same file as before: 1 person, known already" in again[1]
    assert "copy.csv: 1 row: 1 known" in other[1]
    assert "begun from another version" not in other[2]
    assert "contacts.csv: 2 rows: 1 new, 1 known" in changed[1]
    assert "begun from another version" in changed[2]
    assert _called(desk) == {ANN: "done", BOB: "done"}


def test_a_copy_of_a_file_calls_nobody_again(desk: Desk) -> None:
    """Under another name the same content needs a campaign that a person has named."""
    assert desk.say("run", desk.write(f"phone\n{ANN}\n", "a.csv"), "--headless").code == 0
    copy = desk.write(f"phone\n{ANN}\n", "a (1).csv")

    refused = desk.say("run", copy, "--headless")
    stored = _stored(desk)
    gone_on = desk.say("run", copy, "--headless", "--campaign", "a")
    anew = desk.say("run", copy, "--headless", "--campaign", "a (1)")
    again = desk.say("run", copy, "--headless")

    assert (refused.code, stored) == (2, ["a"])
    assert "a (1).csv is the file of campaign a, under another name" in refused.err
    assert "`--campaign=a`" in refused.err
    assert "`'--campaign=a (1)'`" in refused.err
    assert "the same file as before" in gone_on.out
    assert (anew.code, "1 row: 1 new" in anew.out) == (0, True)
    assert (again.code, "the same file as before" in again.out) == (0, True)


def test_a_clear_do_not_call_mark_holds_for_ever_and_everywhere(desk: Desk) -> None:
    """Another campaign's file, without the mark, does not bring the person back."""
    _run(desk, desk.write(f"phone,do not call\n{ANN},yes\n{BOB},\n"))

    said = desk.say("run", desk.write(f"phone\n{ANN}\n{EVE}\n"), "--headless", "--campaign", "two")

    assert "1 excluded (suppressed)" in said.out
    rows = exported(desk.say("export", "--campaign", "two").out)
    assert [(row["number"], row["state"], row["reason"]) for row in rows] == [
        (f"'{ANN}", "excluded", "on the suppression list"),
        (f"'{EVE}", "done", "answered"),
    ]


def test_a_mark_in_a_changed_file_stops_a_person_who_waits(desk: Desk) -> None:
    """Known people whose new file forbids to call them, however unclearly, are cancelled."""
    first = f"phone,dnc\n{ANN},\n{BOB},\n{EVE},\n"
    stopped = {"dialing": {"window": closed_window()}}
    desk.write(json.dumps({**INSTANT, **stopped}), "callagent.yaml")
    _run(desk, desk.write(first), "--max-wait", "0s")
    assert set(_called(desk).values()) <= {"scheduled", "pending"}

    desk.write(json.dumps(INSTANT), "callagent.yaml")
    store = SqliteStore.open(desk.folder / ".callagent/sandbox.db")
    for call in store.calls("spring"):
        store.save_call(call.evolve(due_utc_s=0.0))
    store.close()
    code, _, _ = _run(desk, desk.write(f"phone,dnc\n{ANN},yes\n{BOB},perhaps\n{EVE},no\n"))

    assert code == 0
    assert _called(desk) == {ANN: "cancelled", BOB: "cancelled", EVE: "done"}


def test_an_unreadable_mark_is_lifted_by_a_corrected_file(desk: Desk) -> None:
    """What only an unreadable cell said holds as long as the file says it."""
    _run(desk, desk.write(f"phone,dnc\n{ANN},\n{BOB},perhaps\n"))
    _run(desk, desk.write(f"phone,dnc\n{ANN},\n{BOB},no\n"))

    assert _called(desk) == {ANN: "done", BOB: "done"}


def test_whoever_is_suppressed_between_two_runs_is_not_called(desk: Desk) -> None:
    """The list is asked although the same file is not read again."""
    window: dict[str, dict[str, object]] = {"dialing": {"window": closed_window()}}
    desk.write(json.dumps({**INSTANT, **window}), "callagent.yaml")
    _run(desk, desk.write(f"phone\n{ANN}\n"), "--max-wait", "0s")
    window["dialing"]["window"] = {"opens": "00:00", "closes": "24:00"}
    desk.write(json.dumps({**INSTANT, **window}), "callagent.yaml")
    store = SqliteStore.open(desk.folder / ".callagent/sandbox.db")
    for call in store.calls("spring"):
        store.save_call(call.evolve(due_utc_s=0.0))
    store.close()

    desk.say("contacts", "suppress", ANN)
    code, out, _ = _run(desk, "contacts.csv")

    assert code == 0
    assert "the same file as before" in out
    assert _called(desk) == {ANN: "cancelled"}


@pytest.mark.parametrize("damage", ["garbage", "truncated", "deleted"])
def test_without_a_whole_suppression_list_nobody_is_called(desk: Desk, damage: str) -> None:
    """A list that is damaged, or shorter than it was, refuses to start."""
    desk.say("contacts", "suppress", ANN)
    _run(desk, desk.write(f"phone\n{BOB}\n"))
    path = desk.folder / ".callagent/suppressions.db"
    for beside in path.parent.glob("suppressions.db-*"):
        beside.unlink()
    if damage == "garbage":
        path.write_bytes(b"garbage " * 999)
    elif damage == "truncated":
        path.write_bytes(b"")
    else:
        path.unlink()

    code, _, err = _run(desk, desk.write(f"phone\n{BOB}\n{EVE}\n"))

    assert code == 2
    assert "suppressions.db" in err
    assert _called(desk) == {BOB: "done"}


@pytest.mark.parametrize(
    ("services", "message"),
    [
        ({"llm": {"prompt": "Greet {name} of {compny}."}}, "asks for `compny`"),
        ({"elevenlabs": {"agent_variables": ["company", "plan"]}}, "asks for `plan`"),
    ],
)
def test_a_template_field_that_nobody_has_stops_the_run(
    desk: Desk, services: dict[str, object], message: str
) -> None:
    """Before the first dial the field is named, with the nearest column; again at the next run."""
    desk.write(json.dumps({**INSTANT, "services": services}), "callagent.yaml")
    name = desk.write(f"name,phone,Company\nAnn,{ANN},Acme\n")

    for arguments in (("--dry-run",), (), ()):
        code, out, err = _run(desk, name, *arguments)
        assert code == 2
        assert message in err
        assert "`company`" in err
        assert "done" not in out


def test_all_missing_fields_are_named_and_nobody_is_stored(desk: Desk) -> None:
    """Both templates are named at once; the corrected file calls people with their variables."""
    services = {
        "llm": {"prompt": "Greet {name} of {city}."},
        "elevenlabs": {"agent_variables": ["offer"]},
    }
    desk.write(json.dumps({**INSTANT, "services": services}), "callagent.yaml")
    code, _, err = _run(desk, desk.write(f"phone,name\n{ANN},Ann\n"))

    assert code == 2
    assert "`services.llm.prompt` asks for `city`" in err
    assert "`services.elevenlabs.agent_variables` asks for `offer`" in err
    assert _stored(desk) == []

    said = _run(desk, desk.write(f"phone,name,city,offer\n{ANN},Ann,Oslo,tea\n"))
    lines = desk.say("export", "--campaign", "spring", "--format", "jsonl").out.splitlines()

    assert said[0] == 0
    assert "1 new" in said[1]
    assert [json.loads(line)["variables"] for line in lines] == [{"city": "Oslo", "offer": "tea"}]


def test_a_changed_file_corrects_whoever_was_not_dialed_yet(desk: Desk) -> None:
    """A person who waits for the window is called with what the last file says."""
    window = closed_window()
    desk.write(json.dumps({**INSTANT, "dialing": {"window": window}}), "callagent.yaml")
    _run(desk, desk.write(f"phone,name,timezone\n{ANN},An,UTC\n"), "--max-wait", "0s")

    changed = f"phone,name,timezone,offer\n{ANN},Ann,Europe/Oslo,tea\n"
    code, out, err = _run(desk, desk.write(changed), "--max-wait", "0s")
    [line] = desk.say("export", "--campaign", "spring", "--format", "jsonl").out.splitlines()
    row = json.loads(line)

    assert code == 3
    assert "1 known" in out
    assert "those not dialed yet have what it says of them" in err
    assert (row["name"], row["timezone"], row["variables"]) == (
        "Ann",
        "Europe/Oslo",
        {"offer": "tea"},
    )


def test_template_fields_of_the_file_and_of_the_crm_are_fine(desk: Desk) -> None:
    """A prompt may use columns under their variable's names, the name, and the CRM's fields."""
    services = {"llm": {"prompt": "Greet {name} of {company_name}, {jobtitle}. {{literal}}"}}
    desk.write(json.dumps({**INSTANT, "services": services}), "callagent.yaml")

    assert _run(desk, desk.write(f"name,phone,Company Name\nAnn,{ANN},Acme\n"))[0] == 0
