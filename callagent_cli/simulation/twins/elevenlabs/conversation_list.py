"""The list of conversations: filters, paging and lag."""

import base64
import binascii
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from callagent_cli.simulation.twins.archive import FRESH, Archive, Positions
from callagent_cli.simulation.twins.elevenlabs.conversation import Conversation
from callagent_cli.simulation.twins.twin import TwinRequest

PAGE_SIZE: Final = 30
PAGE_SIZE_MAX: Final = 100
_LIVE_MIN: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableFilter:
    """One `name:op:value` of `dynamic_variable_params`; `in` takes values divided by `|`."""

    name: str
    operator: str
    value: str

    @classmethod
    def parse(cls, text: str) -> "VariableFilter | None":
        """Return the filter, or nothing when it cannot be read or its operator is not known."""
        name, _, rest = text.partition(":")
        operator, colon, value = rest.partition(":")
        if not name or not colon or operator not in {"eq", "neq", "in"}:
            return None
        return cls(name=name, operator=operator, value=value)

    def accepts(self, conversation: Conversation) -> bool:
        """Tell whether a conversation passes; `name:eq:` asks for those without the variable."""
        variable = conversation.variables.get(self.name)
        text = "" if variable is None else str(variable)
        if self.operator == "eq":
            return text == self.value
        if self.operator == "neq":
            return text != self.value
        return text in self.value.split("|")


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What the list is asked for; empty and absent fields accept everything."""

    agent_id: str = ""
    user_id: str = ""
    after: float | None = None
    before: float | None = None
    variables: tuple[VariableFilter, ...] = ()
    page_size: int = PAGE_SIZE
    start: int | None = None

    @classmethod
    def parse(cls, request: TwinRequest) -> "ListQuery | str":
        """Return the query, or the name of the parameter that cannot be used."""
        variables: list[VariableFilter] = []
        for text in request.query.get("dynamic_variable_params", ()):
            variable = VariableFilter.parse(text)
            if variable is None:
                return "dynamic_variable_params"
            variables.append(variable)
        numbers: dict[str, int | None] = {}
        for name in ("call_start_after_unix", "call_start_before_unix", "page_size"):
            text = request.first(name)
            if text and not text.lstrip("-").isdecimal():
                return name
            numbers[name] = int(text) if text else None
        page_size = numbers["page_size"]
        page_size = PAGE_SIZE if page_size is None else page_size
        if not 1 <= page_size <= PAGE_SIZE_MAX:
            return "page_size"
        cursor = request.first("cursor")
        start = _position(cursor) if cursor else None
        if cursor and start is None:
            return "cursor"
        return cls(
            agent_id=request.first("agent_id"),
            user_id=request.first("user_id"),
            after=numbers["call_start_after_unix"],
            before=numbers["call_start_before_unix"],
            variables=tuple(variables),
            page_size=page_size,
            start=start,
        )

    def accepts(self, conversation: Conversation) -> bool:
        """Tell whether a conversation passes all filters."""
        return (
            (not self.agent_id or conversation.agent_id == self.agent_id)
            and (not self.user_id or conversation.user_id == self.user_id)
            and self.accepts_start(conversation.placed_at)
            and all(variable.accepts(conversation) for variable in self.variables)
        )

    def accepts_start(self, placed_at: float) -> bool:
        """Tell whether a call that was placed at an instant passes the filters of time."""
        started = int(placed_at)
        return (self.after is None or started >= self.after) and (
            self.before is None or started <= self.before
        )


class Page(msgspec.Struct, frozen=True):
    """One page, the latest call first; `cursor` leads to the next one, if there is any."""

    conversations: list[Conversation]
    cursor: str | None


@dataclass(slots=True)
class Conversations:
    """All placed calls in the order they were placed, found by id, user id and variable.

    A call is listed only `lag_s` after it was placed; by its id it is found at once.
    """

    lag_s: float = 0.0
    _all: Archive[Conversation] = field(default_factory=lambda: Archive(Conversation))
    _placed_at: "array[float]" = field(default_factory=lambda: array("d"))
    _by_id: Positions = field(default_factory=Positions)
    _by_user: Positions = field(default_factory=Positions)
    _by_variable: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    _live: list[tuple[float, float]] = field(default_factory=list)
    _live_max: int = _LIVE_MIN
    _latest: dict[str, Conversation] = field(default_factory=dict)

    def add(self, conversation: Conversation) -> None:
        """Add a call that was just placed."""
        position = self._all.append(conversation)
        self._latest[conversation.id] = conversation
        if len(self._latest) > FRESH:
            del self._latest[next(iter(self._latest))]
        self._placed_at.append(conversation.placed_at)
        self._by_id.append(conversation.id)
        self._by_user.append(conversation.user_id)
        for name, index in self._by_variable.items():
            _note(index, name, conversation, position)
        self._live.append((conversation.placed_at, conversation.talk_ends_at))
        if len(self._live) >= self._live_max:
            self._forget_ended(conversation.placed_at)
            self._live_max = max(_LIVE_MIN, 2 * len(self._live))

    def get(self, conversation_id: str) -> Conversation | None:
        """Return a call by its id."""
        if conversation_id in self._latest:
            return self._latest[conversation_id]
        for position in self._by_id.latest_first(conversation_id):
            conversation = self._all[position]
            if conversation.id == conversation_id:
                return conversation
        return None

    def live_count(self, at: float) -> int:
        """Count the calls that ring or are talked on."""
        self._forget_ended(at)
        return sum(placed_at <= at for placed_at, _ in self._live)

    def credits_used(self, at: float) -> int:
        """Return what all calls have cost."""
        return sum(each.cost(at) for each in self._all)

    def page(self, query: ListQuery, at: float) -> Page:
        """Return one page of the calls that pass the query's filters."""
        found: list[Conversation] = []
        last = 0
        for position in self._candidates(query):
            placed_at = self._placed_at[position]
            if placed_at + self.lag_s > at or not query.accepts_start(placed_at):
                continue
            conversation = self._all[position]
            if not query.accepts(conversation):
                continue
            if len(found) == query.page_size:
                return Page(found, _cursor(last))
            found.append(conversation)
            last = position
        return Page(found, None)

    def _forget_ended(self, at: float) -> None:
        self._live = [each for each in self._live if each[1] > at]

    def _candidates(self, query: ListQuery) -> Iterator[int]:
        """Yield the positions of all calls that may pass, the latest first."""
        positions: Iterable[int] = reversed(range(len(self._all)))
        if query.user_id:
            positions = self._by_user.latest_first(query.user_id)
        else:
            for variable in query.variables:
                if variable.operator == "eq" and variable.value:
                    positions = reversed(self._with(variable.name).get(variable.value, []))
                    break
        start = query.start
        return (each for each in positions if start is None or each < start)

    def _with(self, name: str) -> dict[str, list[int]]:
        """Return where the values of a variable stand, gathered once somebody asks for them."""
        index = self._by_variable.get(name)
        if index is None:
            index = self._by_variable[name] = {}
            for position, conversation in enumerate(self._all):
                _note(index, name, conversation, position)
        return index


def _note(
    index: dict[str, list[int]], name: str, conversation: Conversation, position: int
) -> None:
    if name in conversation.variables:
        index.setdefault(str(conversation.variables[name]), []).append(position)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(b"before:%d" % position).decode()


def _position(cursor: str) -> int | None:
    try:
        text = base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, UnicodeError):
        return None
    word, _, position = text.partition(":")
    return int(position) if word == "before" and position.isdecimal() else None
