"""JSON of providers, read without surprises."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.services.answers import decode, mapping, number, request_id, text


class _Shape(msgspec.Struct):
    name: str = ""
    extra: Any = None


@given(st.binary())
def test_any_bytes_are_a_value_or_nothing(body: bytes) -> None:
    """No bytes make the reader raise."""
    value = decode(body, _Shape)

    assert value is None or isinstance(value, _Shape)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b'{"name": 1}', b"\xff", b"NaN"])
def test_what_is_no_such_value_is_nothing(body: bytes) -> None:
    """Empty, HTML, too deep, of another type, not UTF-8, not JSON: all the same."""
    assert decode(body, _Shape) is None


def test_unknown_fields_are_ignored_and_missing_ones_defaulted() -> None:
    """A provider may add fields at any time."""
    assert decode(b'{"new": [1]}', _Shape) == _Shape()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(3, 3.0), (1.5, 1.5), (True, None), ("3", None), (None, None), (10**400, None)],
)
def test_only_finite_numbers_are_numbers(value: object, expected: float | None) -> None:
    """Booleans, strings and numbers beyond a float are no numbers."""
    assert number(value) == expected


def test_other_types_read_as_empty() -> None:
    """A field of another type is a missing field."""
    assert text(5) == ""
    assert mapping([1]) == {}


@pytest.mark.parametrize(
    ("headers", "stated", "expected"),
    [
        ({"request-id": "req_1"}, "", "req_1"),
        ({"x-request-id": "req_2", "x-trace-id": "t"}, "", "req_2"),
        ({"x-trace-id": "t"}, "", "t"),
        ({"request-id": "req_1"}, "body_1", "body_1"),
        ({"request-id": "line\nbreak"}, "", ""),
        ({"request-id": "x" * 101}, "", ""),
        ({}, 17, ""),
    ],
)
def test_a_request_id_is_found(headers: dict[str, str], stated: object, expected: str) -> None:
    """The body's id goes first, then the headers'; what could forge a log line is no id."""
    assert request_id(headers, stated) == expected
