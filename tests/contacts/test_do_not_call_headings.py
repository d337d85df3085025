"""Which columns forbid to call: by meaning; one that may is never passed over silently."""

import json

import pytest
from contact_commands import INSTANT, Desk
from contact_files import ANN, BOB, EVE, read
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.contacts.headings import is_do_not_call, is_phone, may_forbid, normalize

FORBIDS = [
    "Do Not Call",
    "DoNotCall__c",
    "Do not call (Y/N)",
    "is_dnc",
    "On federal DNC list?",
    "Phone: do not call",
    "HasOptedOutOfCall",
    "Calls opted out",
    "Bitte nicht anrufen!",
    "Ne plus appeler (oui/non)",
    "Sperrvermerk",
    "Do Not Call (DNC)",
    "Do Not Call/Email",
    "DNC (calls & texts)",
    "Do not call or text",
    "Unsubscribed (email/phone)",
    "HASOPTEDOUTOFCALL",
    "DONOTCALLFLAG",
    "d.n.c.",
    "D.N.C. list",
    "Bitte nicht anrufen (j/n)",
    "Do not call (N/Y)",
    "DNC N/Y",
    "Opted out (N / Y)",
    "D.N.C. (n/y)",
    "Do not allow Phone Calls",
    "Do Not Dial",
    "Keine Telefonanrufe",
    "Nicht kontaktieren",
    "Ne pas contacter",
    "Ne pas téléphoner",
    "No contactar",
    "Non contattare",
    "Não contatar",
    "Niet contacteren",
]
MAY_FORBID = [
    "DNC date",
    "Do Not Disturb",
    "Call consent",
    "TPS registered",
    "Blacklist",
    "Do not call after email",
    "Never call by fax",
    "Exclude from calls",
    "Suppressed",
    "Gesperrt",
    "Widerspruch",
]
NEITHER = [
    "Last Call",
    "Notes",
    "Opt In",
    "HasOptedOutOfEmail",
    "Do Not Mail",
    "Unsubscribed from emails",
    "Opted out (SMS)",
    "Do not contact by email",
    "Call list",
    "Phone",
    "Phone No. (Contact)",
    "Do not allow Emails",
]


@pytest.mark.parametrize("heading", FORBIDS)
def test_a_heading_that_forbids_to_call_is_known_by_its_meaning(heading: str) -> None:
    """Words that change nothing about it may stand around it."""
    result = read(f"phone,{heading}\n{ANN},yes\n{BOB},\n")

    assert result.numbers == [BOB]
    assert result.report.notes == []


def test_what_dynamics_says_of_phone_calls_is_obeyed() -> None:
    """Microsoft's CRM exports a column of "Allow" and "Do Not Allow"."""
    result = read(
        f"Mobile Phone,Do not allow Phone Calls\n{ANN},Do Not Allow\n{BOB},Allow\n{EVE},Perhaps\n"
    )

    assert result.numbers == [BOB]
    assert result.report.excluded == {"do_not_call": 1, "do_not_call_unreadable": 1}


@pytest.mark.parametrize("heading", MAY_FORBID)
def test_a_column_that_may_forbid_is_named_with_the_option_that_makes_it(
    desk: Desk, heading: str
) -> None:
    """It goes to the agent as a variable, and the report says so plainly."""
    name = desk.write(f"phone,{heading}\n{ANN},yes\n{BOB},\n")
    option = f"do_not_call={heading}"
    said = desk.say("contacts", "check", name)
    mapped = desk.say("contacts", "check", name, "--map", option)

    assert (
        f'column `{heading}` is not read as a do-not-call mark; if it is one: --map "' in said.out
    )
    assert f'--map "{option}", and yes means not to call' in said.out
    assert "2 new" in said.out
    assert "1 new, 1 excluded" in mapped.out
    assert "is not read" not in mapped.out


def test_a_run_that_prints_events_names_such_a_column_as_well(desk: Desk) -> None:
    """Standard output is for programs then, standard error for who looks on."""
    desk.write(json.dumps(INSTANT), "callagent.yaml")
    said = desk.say("run", desk.write(f"phone,DNC date\n{ANN},\n"), "--headless", "--json")

    assert "column `DNC date` is not read as a do-not-call mark" in said.err
    assert all(line.startswith("{") for line in said.out.splitlines())


@pytest.mark.parametrize("heading", NEITHER)
def test_other_columns_are_no_marks(heading: str) -> None:
    """A mark about mail, and a word that only looks like one, say nothing about calls."""
    assert not is_do_not_call(heading)
    assert not may_forbid(heading)


def test_a_name_with_a_capital_inside_is_known_in_every_case() -> None:
    """Words that a program joined are taken apart at a capital, a brand's name is not."""
    assert is_phone("WhatsApp Number")
    assert is_phone("whatsapp number")
    assert is_phone("PhoneNumber")


@given(
    heading=st.sampled_from([*FORBIDS, *MAY_FORBID, *NEITHER, "WhatsApp Number", "Handy-Nr."]),
    change=st.sampled_from([str.lower, str.title, str.strip]),
    around=st.sampled_from(["", " ", "*", ":", "\t"]),
)
def test_case_and_punctuation_change_no_meaning(heading: str, change: object, around: str) -> None:
    """Words that are apart mean the same in every case."""
    assert callable(change)
    apart = normalize(heading)
    written = around + change(apart.replace(" ", "_")) + around

    assert is_do_not_call(written) == is_do_not_call(heading)
    assert may_forbid(written) == may_forbid(heading)
    assert is_phone(written) == is_phone(heading)
