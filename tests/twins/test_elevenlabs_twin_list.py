"""Listing conversations on the pretended voice platform: filters, paging, lag."""

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twin_helpers import ANA, BEN, CONVERSATIONS, NOON, ask, dial, elevenlabs, json_of

from callagent_cli.simulation.twins.elevenlabs.twin import ElevenLabsTwin


def listed(twin: ElevenLabsTwin, at: float = NOON, **query: Any) -> Any:  # noqa: ANN401 — JSON.
    """Return one page of the list."""
    target = f"{CONVERSATIONS}?{urlencode(query, doseq=True)}"
    return json_of(ask(twin, "GET", target, at=at))


def ids(page: Any) -> list[str]:  # noqa: ANN401 — the body of a list.
    """Return the ids on a page."""
    return [item["conversation_id"] for item in page["conversations"]]


def test_the_list_shows_the_latest_call_first_and_no_number() -> None:
    """Items carry the required fields, but neither a number nor variables."""
    twin = elevenlabs()
    first = dial(twin, ANA)["conversation_id"]
    second = dial(twin, BEN, at=NOON + 5)["conversation_id"]
    page = listed(twin, NOON + 5)

    assert ids(page) == [second, first]
    assert (page["has_more"], page["next_cursor"]) == (False, None)
    item = page["conversations"][0]
    assert {"agent_id", "start_time_unix_secs", "call_duration_secs", "message_count"} <= set(item)
    assert {"status", "call_successful"} <= set(item)
    assert BEN not in str(item)
    assert "dynamic_variables" not in str(item)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["call_3", "call_2", "call_1"]),
        ({"user_id": "call_2"}, ["call_2"]),
        ({"user_id": "nobody"}, []),
        ({"agent_id": "agent_sandbox"}, ["call_3", "call_2", "call_1"]),
        ({"agent_id": "another"}, []),
        ({"dynamic_variable_params": "callagent_call_id:eq:call_1"}, ["call_1"]),
        ({"dynamic_variable_params": "callagent_call_id:neq:call_1"}, ["call_3", "call_2"]),
        (
            {"dynamic_variable_params": "callagent_call_id:in:call_1|call_3"},
            ["call_3", "call_1"],
        ),
        ({"dynamic_variable_params": "unheard_of:eq:"}, ["call_3", "call_2", "call_1"]),
        ({"dynamic_variable_params": "callagent_call_id:eq:"}, []),
        (
            {
                "dynamic_variable_params": [
                    "callagent_call_id:in:call_1|call_2",
                    "callagent_call_id:neq:call_2",
                ]
            },
            ["call_1"],
        ),
        ({"call_start_after_unix": int(NOON) + 10}, ["call_3", "call_2"]),
        ({"call_start_before_unix": int(NOON) + 10}, ["call_2", "call_1"]),
        ({"user_id": "call_2", "call_start_after_unix": int(NOON) + 11}, []),
    ],
)
def test_filters_narrow_the_list(query: dict[str, Any], found: list[str]) -> None:
    """Each filter alone and two together give exactly the calls they name."""
    twin = elevenlabs()
    calls = {}
    for number in (1, 2, 3):
        call = f"call_{number}"
        answer = dial(twin, call=call, at=NOON + 10 * (number - 1))
        calls[answer["conversation_id"]] = call

    assert [calls[each] for each in ids(listed(twin, NOON + 60, **query))] == found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_size", "0"),
        ("page_size", "101"),
        ("page_size", "many"),
        ("cursor", "nonsense"),
        ("call_start_after_unix", "noon"),
        ("dynamic_variable_params", "callagent_call_id:about:x"),
        ("dynamic_variable_params", "callagent_call_id"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(name: str, value: str) -> None:
    """A bad parameter gives 422 and names it, instead of a list that proves nothing."""
    answer = ask(elevenlabs(), "GET", f"{CONVERSATIONS}?{urlencode({name: value})}")

    assert answer.status == 422
    assert json_of(answer)["detail"][0]["loc"] == ["query", name]


@given(count=st.integers(0, 12), page_size=st.integers(1, 13))
def test_pages_together_are_the_whole_list(count: int, page_size: int) -> None:
    """Following the cursor visits every call once, though new calls arrive on the way."""
    twin = elevenlabs()
    expected = [dial(twin)["conversation_id"] for _ in range(count)][::-1]
    found: list[str] = []
    query: dict[str, Any] = {"page_size": page_size}
    while True:
        page = listed(twin, **query)
        assert len(ids(page)) <= page_size
        found += ids(page)
        if not page["has_more"]:
            break
        query["cursor"] = page["next_cursor"]
        dial(twin, BEN)

    assert found == expected


def test_a_page_holds_thirty_calls_unless_it_is_told() -> None:
    """The default page size is the documented one."""
    twin = elevenlabs()
    for _ in range(31):
        dial(twin)

    page = listed(twin)
    assert (len(ids(page)), page["has_more"]) == (30, True)


def test_a_placed_call_is_listed_only_after_the_lag_but_found_by_its_id() -> None:
    """The list lags behind; the conversation itself can be read at once."""
    twin = elevenlabs(list_lag_s=20.0)
    conversation = dial(twin)["conversation_id"]

    assert ids(listed(twin, NOON + 19.9, user_id="call_1")) == []
    assert ids(listed(twin, NOON + 20, user_id="call_1")) == [conversation]
    assert ask(twin, "GET", f"{CONVERSATIONS}/{conversation}", at=NOON).status == 200
