"""Whether the values in a pattern's `where` can ever stand in the event it speaks of."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, get_args

import msgspec
from msgspec import inspect

from callagent_cli.calls.model import CallState, Step
from callagent_cli.resilience.breaker import Owner
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.simulation.scenario.words import OPERATIONS, event_types, is_health, targets
from callagent_cli.yaml_reader import nearest
from callagent_cli.yaml_scalar import choices, describe

Found = tuple[str, str]

_GLOB: Final = frozenset("*?[")
_NUMBERS: Final = (inspect.IntType, inspect.FloatType)
_STATES: Final = tuple(state.value for state in CallState)

_SERVICES: Final = (*OPERATIONS, "")
_WORDS: Final[dict[str, Iterable[str]]] = {
    "service": _SERVICES,
    "waits_for": _SERVICES,
    "operation": ("", *(each for each in targets() if "." in each and not is_health(each))),
    "outcome": ("", *(outcome.value for outcome in Outcome)),
    "owner": get_args(Owner),
    "step": tuple(step.value for step in Step),
}
"""What the texts of a name are, whichever event has it."""

_WORDS_OF: Final[dict[tuple[str, str], Iterable[str]]] = {
    ("alert_raised", "service"): (*_SERVICES, "worker", "worker.heartbeat"),
    ("call_changed", "old"): _STATES,
    ("call_changed", "new"): _STATES,
}
"""What the texts of one event are."""


def value_problem(event: str, name: str, value: Any) -> str:  # noqa: ANN401 — whatever the file has.
    """Return why a field of an event never has a value, or an empty text; globs may match."""
    type_ = event_types(event)[name]
    kinds = type_.types if isinstance(type_, inspect.UnionType) else (type_,)
    if isinstance(value, str):
        return "" if _GLOB & set(value) else _text_problem(event, name, value, kinds=kinds)
    if any(_has_kind(value, kind) for kind in kinds):
        return ""
    shown = msgspec.json.encode(value).decode()
    return f"`{name}` of `{event}` is {describe(type_)}, never {shown}"


def _has_kind(value: Any, kind: inspect.Type) -> bool:  # noqa: ANN401 — as above.
    if value is None:
        return isinstance(kind, inspect.NoneType)
    if isinstance(value, bool):
        return isinstance(kind, inspect.BoolType)
    # A number is compared with a number; what looks like one may also be an id written as text.
    return isinstance(kind, _NUMBERS)


def _text_problem(event: str, name: str, value: str, *, kinds: Iterable[inspect.Type]) -> str:
    words = list(_words(event, name, kinds))
    if words:
        if value in words:
            return ""
        return f'`{name}` of `{event}` is never "{value}"{nearest(value, words) or _list(words)}'
    if any(isinstance(kind, inspect.StrType) for kind in kinds):
        return ""
    if any(isinstance(kind, _NUMBERS) for kind in kinds) and _is_number(value):
        return ""
    wanted = " or ".join(describe(kind) for kind in kinds)
    return f'`{name}` of `{event}` is {wanted}, never "{value}"'


def _words(event: str, name: str, kinds: Iterable[inspect.Type]) -> Iterator[str]:
    yield from (word for kind in kinds for word in choices(kind))
    if any(isinstance(kind, inspect.StrType) for kind in kinds):
        yield from _WORDS_OF.get((event, name), _WORDS.get(name, ()))


def _list(words: Iterable[str]) -> str:
    return f"; known: {', '.join(word for word in words if word)}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
