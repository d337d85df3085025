"""HubSpot's search over objects: filter groups, operators, paging."""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from callagent_cli.simulation.twins.twin import JsonObject

LIMIT_MAX: Final = 200
_LIMIT: Final = 10


def _contains_token(value: str, wanted: str) -> bool:
    """Match words as the search does: in lower case, `*` standing for anything."""
    words = value.lower().split()
    return all(
        any(re.fullmatch(".*".join(map(re.escape, token.split("*"))), word) for word in words)
        for token in wanted.lower().split()
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


_OPERATORS: Final[dict[str, Callable[[str, str], bool]]] = {
    "EQ": lambda value, wanted: value.lower() == wanted.lower(),
    "NEQ": lambda value, wanted: value.lower() != wanted.lower(),
    "CONTAINS_TOKEN": _contains_token,
    "NOT_CONTAINS_TOKEN": lambda value, wanted: not _contains_token(value, wanted),
    "HAS_PROPERTY": lambda value, _wanted: bool(value),
    "NOT_HAS_PROPERTY": lambda value, _wanted: not value,
    "GT": lambda value, wanted: _number(value) > _number(wanted),
    "GTE": lambda value, wanted: _number(value) >= _number(wanted),
    "LT": lambda value, wanted: _number(value) < _number(wanted),
    "LTE": lambda value, wanted: _number(value) <= _number(wanted),
}


class _FilterBody(msgspec.Struct, rename="camel"):
    property_name: Annotated[str, Meta(min_length=1)]
    operator: Annotated[str, Meta(pattern=f"^({'|'.join(('IN', *_OPERATORS))})$")]
    value: str | float = ""
    values: list[str | float] = []


class _GroupBody(msgspec.Struct):
    filters: list[_FilterBody] = []


class _SearchBody(msgspec.Struct):
    groups: list[_GroupBody] = msgspec.field(name="filterGroups", default_factory=list)
    properties: list[str] = []
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = _LIMIT
    after: Annotated[str, Meta(pattern="^[0-9]*$")] | None = None


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """One condition on one property; `values` belongs to the operator `IN`."""

    property_name: str
    operator: str
    value: str
    values: tuple[str, ...] = ()

    def accepts(self, properties: JsonObject) -> bool:
        """Tell whether an object's properties meet the condition."""
        held = properties.get(self.property_name)
        text = "" if held is None else str(held)
        if self.operator == "IN":
            return text.lower() in self.values
        return _OPERATORS[self.operator](text, self.value)


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What a search asks for: the groups are alternatives, the filters in one all must hold."""

    groups: tuple[tuple[Filter, ...], ...]
    properties: tuple[str, ...]
    limit: int
    after: int

    @classmethod
    def parse(cls, body: bytes) -> "Search":
        """Return the search; raises `msgspec.DecodeError` when the body is none."""
        asked = msgspec.json.decode(body, type=_SearchBody, strict=False)
        return cls(
            groups=tuple(tuple(map(_filter, group.filters)) for group in asked.groups),
            properties=tuple(asked.properties),
            limit=asked.limit,
            after=int(asked.after or 0),
        )

    def wanted(self, property_name: str) -> str:
        """Return the value that a property must equal, if the search says so."""
        for group in self.groups:
            for each in group:
                if each.property_name == property_name and each.operator == "EQ":
                    return each.value
        return ""

    def accepts(self, properties: JsonObject) -> bool:
        """Tell whether an object is found."""
        if not self.groups:
            return True
        return any(all(each.accepts(properties) for each in group) for group in self.groups)

    def page(self, found: Iterable[JsonObject]) -> JsonObject:
        """Return the answer: one page of what was found."""
        objects = list(found)
        end = self.after + self.limit
        answer: JsonObject = {"total": len(objects), "results": objects[self.after : end]}
        if end < len(objects):
            answer["paging"] = {"next": {"after": str(end)}}
        return answer


def _filter(asked: _FilterBody) -> Filter:
    return Filter(
        property_name=asked.property_name,
        operator=asked.operator,
        value=str(asked.value),
        values=tuple(str(each).lower() for each in asked.values),
    )
