"""The pretended CRM: contacts, recorded calls, and the search that finds them."""

from typing import Any

import msgspec
import pytest
from twin_helpers import ANA, BEN, NOON, ask, json_of

from callagent_cli.simulation.twins.hubspot.twin import HubSpotOptions, HubSpotTwin
from callagent_cli.simulation.twins.keys import CRM_TOKEN
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.twins.twin import TwinAnswer, TwinRequest

TOKEN = {"authorization": f"Bearer {CRM_TOKEN}"}
OBJECTS = "/crm/v3/objects"
CALLS = f"{OBJECTS}/calls"


def crm(ledger: Ledger | None = None, **options: float) -> HubSpotTwin:
    """Return a CRM; options are those of `HubSpotOptions` that are numbers."""
    chosen = msgspec.convert(options, HubSpotOptions) if options else None
    return HubSpotTwin(Ledger() if ledger is None else ledger, options=chosen)


def post(twin: HubSpotTwin, path: str, body: object, at: float = NOON) -> TwinAnswer:
    """Send one POST with the token."""
    return ask(twin, "POST", path, at=at, headers=TOKEN, body=body)


def record(twin: HubSpotTwin, title: str = "Call dial_1", number: str = ANA) -> Any:  # noqa: ANN401 — JSON.
    """Record a call and return the object."""
    properties = {"hs_timestamp": "2026", "hs_call_title": title, "hs_call_to_number": number}
    return json_of(post(twin, CALLS, {"properties": properties}))


def search(twin: HubSpotTwin, *filters: dict[str, Any], at: float = NOON, **more: Any) -> Any:  # noqa: ANN401 — JSON.
    """Search the recorded calls: one group of filters."""
    body = {"filterGroups": [{"filters": list(filters)}], **more}
    return json_of(post(twin, f"{CALLS}/search", body, at))


def having(name: str, operator: str, value: str = "", **more: Any) -> dict[str, Any]:  # noqa: ANN401 — JSON.
    """Return a filter."""
    return {"propertyName": name, "operator": operator, "value": value, **more}


def test_a_contact_is_read_with_the_properties_asked_for() -> None:
    """Only the named properties come back, besides the id."""
    target = f"{OBJECTS}/contacts/42?properties=firstname,phone"
    answer = ask(crm(), "GET", target, headers=TOKEN)

    body = json_of(answer)
    assert (answer.status, body["id"], body["archived"]) == (200, "42", False)
    assert set(body["properties"]) == {"firstname", "phone", "hs_object_id"}


def test_an_id_that_is_none_is_not_found() -> None:
    """A contact id is a number; anything else is an object that does not exist."""
    answer = ask(crm(), "GET", f"{OBJECTS}/contacts/ana", headers=TOKEN)

    assert (answer.status, json_of(answer)["category"]) == (404, "OBJECT_NOT_FOUND")


def test_a_contact_is_found_by_phone_always_the_same() -> None:
    """Searching a number finds one contact, whose id the number decides."""
    body = {"filterGroups": [{"filters": [having("phone", "EQ", ANA)]}], "properties": ["phone"]}
    path = f"{OBJECTS}/contacts/search"
    first = json_of(post(crm(known_share=1.0), path, body))
    again = json_of(post(crm(known_share=1.0), path, body, NOON + 9))

    assert first["total"] == 1
    assert first["results"][0]["properties"]["phone"] == ANA
    assert first["results"][0]["id"] == again["results"][0]["id"]


def test_some_numbers_belong_to_nobody() -> None:
    """With a share of zero no number is known, with a half some are."""
    path = f"{OBJECTS}/contacts/search"

    def known(share: float) -> int:
        twin = crm(known_share=share)
        bodies = (
            {"filterGroups": [{"filters": [having("phone", "EQ", f"+1212555{number:04d}")]}]}
            for number in range(100, 200)
        )
        return sum(json_of(post(twin, path, body))["total"] for body in bodies)

    assert known(0.0) == 0
    assert 20 < known(0.5) < 80
    assert known(1.0) == 100


def test_a_recorded_call_is_created_with_an_id() -> None:
    """Recording gives 201 and the object; it is an effect."""
    twin = crm()
    properties = {"hs_timestamp": "2026", "hs_call_title": "Call"}
    answer = post(twin, CALLS, {"properties": properties})

    assert (answer.status, answer.effect) == (201, True)
    assert json_of(answer)["properties"]["hs_call_title"] == "Call"
    assert [call.id for call in twin.calls()] == [json_of(answer)["id"]]


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"[]",
        {"properties": {"hs_call_title": "no time"}},
        {"properties": "none"},
    ],
)
def test_a_record_that_lacks_something_is_a_validation_error(body: object) -> None:
    """What cannot be recorded gives 400 in the error envelope, and nothing is recorded."""
    twin = crm()
    answer = post(twin, CALLS, body)

    said = json_of(answer)
    assert answer.status == 400
    assert (said["status"], said["category"]) == ("error", "VALIDATION_ERROR")
    assert said["correlationId"]
    assert twin.calls() == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (having("hs_call_title", "CONTAINS_TOKEN", "dial_1"), ["Call dial_1"]),
        (having("hs_call_title", "CONTAINS_TOKEN", "DIAL_*"), ["Call dial_1", "Call dial_2"]),
        (having("hs_call_title", "CONTAINS_TOKEN", "dial"), []),
        (having("hs_call_title", "NOT_CONTAINS_TOKEN", "dial_1"), ["Call dial_2"]),
        (having("hs_call_title", "EQ", "Call dial_2"), ["Call dial_2"]),
        (having("hs_call_title", "NEQ", "Call dial_2"), ["Call dial_1"]),
        (having("hs_call_to_number", "EQ", BEN), ["Call dial_2"]),
        (having("hs_call_to_number", "IN", values=[ANA, BEN]), ["Call dial_1", "Call dial_2"]),
        (having("hs_timestamp", "GTE", "2026"), ["Call dial_1", "Call dial_2"]),
        (having("hs_timestamp", "GT", "2026"), []),
        (having("hs_timestamp", "LT", "2027"), ["Call dial_1", "Call dial_2"]),
        (having("hs_timestamp", "LTE", "yesterday"), []),
        (having("hs_call_body", "HAS_PROPERTY"), []),
        (having("hs_call_body", "NOT_HAS_PROPERTY"), ["Call dial_1", "Call dial_2"]),
    ],
)
def test_recorded_calls_are_found_by_their_properties(
    asked: dict[str, Any], found: list[str]
) -> None:
    """Each operator finds what it says, and nothing else."""
    twin = crm()
    record(twin)
    record(twin, "Call dial_2", BEN)
    results = search(twin, asked)["results"]

    assert [each["properties"]["hs_call_title"] for each in results] == found


def test_filters_of_a_group_all_hold_and_groups_are_alternatives() -> None:
    """A group narrows, a second group widens."""
    twin = crm()
    record(twin)
    record(twin, "Call dial_2", BEN)
    title, number = (
        having("hs_call_title", "EQ", "Call dial_1"),
        having("hs_call_to_number", "EQ", BEN),
    )
    groups = {"filterGroups": [{"filters": [title]}, {"filters": [number]}]}

    assert search(twin, title, number)["total"] == 0
    assert json_of(post(twin, f"{CALLS}/search", groups))["total"] == 2
    assert json_of(post(twin, f"{CALLS}/search", {}))["total"] == 2


def test_the_search_pages() -> None:
    """A full page names where the next one begins; the last page names nothing."""
    twin = crm()
    for number in range(3):
        record(twin, f"Call {number}")
    first = search(twin, limit=2)
    second = search(twin, limit=2, after=first["paging"]["next"]["after"])

    assert (len(first["results"]), len(second["results"])) == (2, 1)
    assert first["total"] == 3
    assert "paging" not in second


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 0},
        {"limit": 201},
        {"after": "x"},
        {"filterGroups": [{"filters": [having("", "EQ")]}]},
        {"filterGroups": [{"filters": [having("phone", "SOUNDS_LIKE")]}]},
        {"filterGroups": "all"},
    ],
)
def test_a_search_that_makes_no_sense_is_refused(body: dict[str, Any]) -> None:
    """Bad limits, cursors, operators and shapes give a validation error."""
    answer = post(crm(), f"{CALLS}/search", body)

    assert (answer.status, json_of(answer)["category"]) == (400, "VALIDATION_ERROR")


def test_the_search_lags_behind_what_was_recorded() -> None:
    """With a lag a recorded call is found only later."""
    twin = crm(search_lag_s=5.0)
    record(twin)
    asked = having("hs_call_to_number", "EQ", ANA)

    assert search(twin, asked, at=NOON + 4)["total"] == 0
    assert search(twin, asked, at=NOON + 5)["total"] == 1


def test_an_upsert_writes_once_however_often_it_is_sent() -> None:
    """The first is new, the second updates the same object."""
    twin = crm()
    one = {"idProperty": "attempt", "id": "dial_1", "properties": {"hs_timestamp": "2026"}}
    path = f"{CALLS}/batch/upsert"
    first = post(twin, path, {"inputs": [one]})
    second = post(twin, path, {"inputs": [{**one, "properties": {"hs_call_body": "more"}}]})

    created, updated = json_of(first)["results"][0], json_of(second)["results"][0]
    assert (first.status, second.status) == (200, 200)
    assert (created["new"], updated["new"], created["id"]) == (True, False, updated["id"])
    assert updated["properties"]["hs_timestamp"] == "2026"
    assert updated["properties"]["hs_call_body"] == "more"
    assert len(twin.calls()) == 1


def test_an_upsert_that_works_in_part_says_which() -> None:
    """An input without its key is an error beside the results, under 207."""
    good = {"idProperty": "attempt", "id": "dial_1", "properties": {}}
    answer = post(crm(), f"{CALLS}/batch/upsert", {"inputs": [good, {"properties": {}}]})

    body = json_of(answer)
    assert (answer.status, answer.effect) == (207, True)
    assert (len(body["results"]), body["numErrors"]) == (1, 1)
    assert body["errors"][0]["category"] == "VALIDATION_ERROR"


def test_the_account_answers_the_health_check() -> None:
    """The account's details are readable with the token only."""
    path = "/account-info/v3/details"

    assert json_of(ask(crm(), "GET", path, headers=TOKEN))["portalId"]
    refused = ask(crm(), "GET", path, headers={})
    assert (refused.status, json_of(refused)["category"]) == (401, "INVALID_AUTHENTICATION")


@pytest.mark.parametrize("path", ["/crm/v9/objects", f"{OBJECTS}/deals", f"{CALLS}/nothing"])
def test_an_unknown_path_of_the_crm_is_not_found(path: str) -> None:
    """A path nobody serves gives 404 in the error envelope."""
    answer = post(crm(), path, {"properties": {}})

    assert (answer.status, json_of(answer)["status"]) == (404, "error")


def test_paths_are_settable() -> None:
    """HubSpot replaces its numbered paths by dated ones; the twin follows the settings."""
    options = HubSpotOptions(
        objects_path="/crm/objects/2026-09", account_path="/account-info/2026-03/details"
    )
    twin = HubSpotTwin(Ledger(), options=options)

    assert ask(twin, "GET", "/account-info/2026-03/details", headers=TOKEN).status == 200
    assert ask(twin, "GET", "/crm/objects/2026-09/contacts/1", headers=TOKEN).status == 200


def test_the_ledger_learns_whose_call_is_recorded() -> None:
    """A record names its call at the end of its body, and its number."""
    properties = {"hs_call_body": "Went well\n\ncallagent call_9", "hs_call_to_number": ANA}
    body = msgspec.json.encode({"properties": properties})
    facts = crm().describe(TwinRequest.parse("POST", CALLS, TOKEN, body))

    assert (facts.operation, facts.call_id, facts.number) == ("record", "call_9", ANA)


def test_recorded_calls_outlive_the_twin() -> None:
    """A twin made from the same ledger still finds and upserts what was recorded."""
    ledger = Ledger()
    before = crm(ledger)
    record(before)
    one = {"idProperty": "attempt", "id": "dial_1", "properties": {"hs_timestamp": "2026"}}
    post(before, f"{CALLS}/batch/upsert", {"inputs": [one]})
    after = crm(ledger)

    assert after.calls() == before.calls()
    again = json_of(post(after, f"{CALLS}/batch/upsert", {"inputs": [one]}))
    assert again["results"][0]["new"] is False
