"""The CRM: what is asked, what is read, and what each refusal means."""

from typing import Any

import pytest
from scripted_http import KEY, NUMBER, ScriptedHttp, answer, failure, now, run

from callagent_cli import errors
from callagent_cli.errors import ServiceError
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.services.http import BrokenAnswer, NoAnswer, NotSent, Response, TransportError
from callagent_cli.services.hubspot import HubSpotAdapter, Person
from callagent_cli.settings import Crm

ADA = {"id": "7", "properties": {"firstname": "Ada", "phone": None, "company": ""}}
MISSING = {"status": "error", "category": "OBJECT_NOT_FOUND", "correlationId": "corr-1"}


def crm(
    *answers: Response | TransportError,
    **settings: Any,  # noqa: ANN401 — the fields of Crm.
) -> tuple[HubSpotAdapter, ScriptedHttp]:
    """Return an adapter that meets these answers."""
    http = ScriptedHttp(*answers)
    return HubSpotAdapter(http, Crm(**settings), KEY, now), http


async def record(adapter: HubSpotAdapter, crm_id: str = "7", status: str = "answered") -> str:
    """Record the one call of these tests."""
    return await adapter.record(
        call_id="call_1",
        marker="callagent-call_1",
        crm_id=crm_id,
        title="Call with Ada",
        body="They agreed.",
        status=status,
        duration_s=42.5,
        to_number=NUMBER,
        at_utc_s=1_800_000_000.0,
    )


def test_a_person_is_read_by_id() -> None:
    """The id of the file is asked first; empty properties are no properties."""
    adapter, http = crm(answer(200, ADA))
    person = run(adapter.look_up(crm_id="7", number=NUMBER))

    request = http.requests[0]
    assert person == Person(id="7", properties={"firstname": "Ada"})
    assert (request.method, request.target, request.timeout_s) == ("GET", "crm.look_up", 10.0)
    assert request.path.startswith("/crm/v3/objects/contacts/7?properties=firstname")
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_a_person_without_an_id_is_searched_by_number() -> None:
    """HubSpot drops country codes from its search index, so both spellings are searched."""
    adapter, http = crm(answer(200, {"total": 1, "results": [ADA]}))
    person = run(adapter.look_up(crm_id="", number=NUMBER))

    filters = [group["filters"][0] for group in http.body["filterGroups"]]
    assert person is not None
    assert http.requests[0].path == "/crm/v3/objects/contacts/search"
    assert [(each["propertyName"], each["value"]) for each in filters] == [
        ("phone", NUMBER),
        ("mobilephone", NUMBER),
        ("hs_searchable_calculated_phone_number", "2125550142"),
    ]


def test_a_deleted_id_falls_back_to_the_number() -> None:
    """Merged contacts get other ids; their number still finds them."""
    adapter, http = crm(answer(404, MISSING), answer(200, {"results": [ADA]}))
    person = run(adapter.look_up(crm_id="6", number=NUMBER))

    assert person is not None
    assert len(http.requests) == 2


def test_nobody_is_nothing() -> None:
    """An unknown person is an answer, not an error."""
    adapter, _ = crm(answer(200, {"total": 0, "results": []}))
    by_id, _ = crm(answer(404, MISSING))

    assert run(adapter.look_up(crm_id="", number="not a number")) is None
    assert run(by_id.look_up(crm_id="7", number="")) is None


def test_a_wrong_address_is_not_nobody() -> None:
    """A 404 that HubSpot did not write says nothing about the person."""
    adapter, _ = crm(answer(404, b"<html>"))

    assert type(failure(adapter.look_up(crm_id="7", number=NUMBER))) is errors.InvalidPayload


def test_a_call_is_recorded_at_its_person() -> None:
    """Milliseconds, upper case and associations are HubSpot's business, not the worker's."""
    adapter, http = crm(answer(201, {"id": "99", "properties": {}}))

    assert run(record(adapter)) == "99"
    assert http.requests[0].path == "/crm/v3/objects/calls"
    assert http.requests[0].target == "crm.record"
    assert http.body == {
        "properties": {
            "hs_timestamp": "2027-01-15T08:00:00.000Z",
            "hs_call_title": "Call with Ada callagent-call_1",
            "hs_call_body": "They agreed.\n\ncallagent call_1",
            "hs_call_status": "COMPLETED",
            "hs_call_duration": "42500",
            "hs_call_direction": "OUTBOUND",
            "hs_call_to_number": NUMBER,
        },
        "associations": [
            {
                "to": {"id": "7"},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}],
            }
        ],
    }


def test_a_call_to_a_stranger_has_no_association() -> None:
    """Without an id in the CRM the call stands alone."""
    adapter, http = crm(answer(201, {"id": "99"}))
    run(record(adapter, crm_id=""))

    assert "associations" not in http.body


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ("answered", "COMPLETED"),
        ("voicemail", "COMPLETED"),
        ("no_answer", "NO_ANSWER"),
        ("busy", "BUSY"),
        ("failed", "FAILED"),
        ("COMPLETED", "COMPLETED"),
        ("something else", None),
        ("", None),
    ],
)
def test_a_result_becomes_a_status_that_hubspot_knows(result: str, status: str | None) -> None:
    """HubSpot refuses a status that is not on its list, so an unknown one is left out."""
    adapter, http = crm(answer(201, {"id": "99"}))
    run(record(adapter, status=result))

    assert http.body["properties"].get("hs_call_status") == status


def test_a_record_is_found_again_by_its_marker() -> None:
    """A search matches words; only the whole marker in the title is this call."""
    other = {"id": "1", "properties": {"hs_call_title": "Call callagent-call_10x"}}
    ours = {"id": "2", "properties": {"hs_call_title": "Call callagent-call_1"}}
    bare = {"id": "3", "properties": None}
    adapter, http = crm(answer(200, {"results": [bare, ours]}))
    empty, _ = crm(answer(200, {"results": []}))
    similar, _ = crm(answer(200, {"results": [other]}))

    assert run(adapter.find_record("callagent-call_1")) == "2"
    assert run(empty.find_record("callagent-call_1")) is None
    assert run(similar.find_record("callagent-call_1")) is None
    assert http.requests[0].path == "/crm/v3/objects/calls/search"


def test_paths_are_settings() -> None:
    """HubSpot's numbered paths end in 2027; a new one is a line in the settings."""
    adapter, http = crm(
        answer(200, {"portalId": 1}),
        objects_path="/crm/objects/2026-03",
        account_path="/account-info/2026-03/details",
    )
    run(adapter.health())
    assert failure(record(adapter)).code == "unreadable"

    assert [request.path for request in http.requests] == [
        "/account-info/2026-03/details",
        "/crm/objects/2026-03/calls",
    ]
    assert http.requests[0].timeout_s == 5.0


def limited(policy: str, message: str = "limit") -> dict[str, Any]:
    """Return the body of a 429."""
    return {
        "status": "error",
        "message": message,
        "errorType": "RATE_LIMIT",
        "policyName": policy,
        "correlationId": "corr-1",
    }


Row = tuple[int, object, type[ServiceError], Outcome, float | None]
ROWS: list[Row] = [
    (400, {"category": "VALIDATION_ERROR"}, errors.InvalidPayload, Outcome.REJECTED, None),
    (
        401,
        {"category": "INVALID_AUTHENTICATION"},
        errors.AuthenticationFailed,
        Outcome.UNAUTHORIZED,
        None,
    ),
    (
        403,
        {"category": "MISSING_SCOPES"},
        errors.AuthenticationFailed,
        Outcome.UNAUTHORIZED,
        None,
    ),
    (404, MISSING, errors.InvalidPayload, Outcome.REJECTED, None),
    (409, {"category": "CONFLICT"}, errors.InvalidPayload, Outcome.REJECTED, None),
    (414, b"", errors.InvalidPayload, Outcome.REJECTED, None),
    (415, b"", errors.InvalidPayload, Outcome.REJECTED, None),
    (423, b"", errors.RateLimited, Outcome.THROTTLED, 2.0),
    (429, limited("SECONDLY"), errors.RateLimited, Outcome.THROTTLED, 10.0),
    (429, limited("TEN_SECONDLY_ROLLING"), errors.RateLimited, Outcome.THROTTLED, 10.0),
    (429, b"", errors.RateLimited, Outcome.THROTTLED, 10.0),
    (429, limited("DAILY"), errors.QuotaExceeded, Outcome.QUOTA, None),
    (
        429,
        limited("", "You have reached your daily limit."),
        errors.QuotaExceeded,
        Outcome.QUOTA,
        None,
    ),
    (477, b"", errors.RateLimited, Outcome.THROTTLED, 60.0),
    *(
        (status, b"", errors.ServiceUnavailable, Outcome.UNAVAILABLE, None)
        for status in (302, 408, 500, 502, 503, 504, 521, 523, 524)
    ),
]


@pytest.mark.parametrize(("status", "body", "kind", "outcome", "wait_s"), ROWS)
def test_a_refused_record_is_what_its_body_says(
    status: int,
    body: object,
    kind: type[ServiceError],
    outcome: Outcome,
    wait_s: float | None,
) -> None:
    """Each row of HubSpot's error table, with the wait where HubSpot states none."""
    adapter, _ = crm(answer(status, body))
    error = failure(record(adapter))

    assert (type(error), error.outcome, error.status) == (kind, outcome, status)
    assert error.retry_after_s == wait_s


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"x_hubspot_ratelimit_interval_milliseconds": "1000"}, 1.0),
        ({"x_hubspot_ratelimit_interval_milliseconds": "10000"}, 10.0),
        ({"x_hubspot_ratelimit_interval_milliseconds": "86400000"}, 10.0),
        ({"x_hubspot_ratelimit_interval_milliseconds": "soon"}, 10.0),
        ({"x_hubspot_ratelimit_interval_milliseconds": "1000", "retry_after": "4"}, 4.0),
    ],
)
def test_a_rolling_limit_is_waited_out(headers: dict[str, str], wait_s: float) -> None:
    """A stated wait wins, then the window's length, then ten seconds."""
    adapter, _ = crm(answer(429, limited("TEN_SECONDLY_ROLLING"), **headers))

    assert failure(record(adapter)).retry_after_s == wait_s


def test_a_migration_is_waited_out_as_stated() -> None:
    """A 477 may ask for a day."""
    adapter, _ = crm(answer(477, b"", retry_after="86400"))

    assert failure(record(adapter)).retry_after_s == 86400.0


def test_the_correlation_id_is_the_request_id() -> None:
    """It is what HubSpot's support asks for."""
    adapter, _ = crm(answer(404, MISSING))

    assert failure(record(adapter)).request_id == "corr-1"


@pytest.mark.parametrize(
    ("met", "kind"),
    [
        (NotSent("x"), errors.NetworkFailure),
        (NoAnswer("x"), errors.ServiceTimeout),
        (BrokenAnswer("x"), errors.ServiceUnavailable),
        (answer(201, b""), errors.ServiceUnavailable),
        (answer(201, {}), errors.ServiceUnavailable),
    ],
    ids=repr,
)
def test_a_lost_record_is_transient(
    met: Response | TransportError, kind: type[ServiceError]
) -> None:
    """A lost record is looked for by its marker and written again; nobody's phone rings."""
    adapter, _ = crm(met)

    assert type(failure(record(adapter))) is kind
