"""Single YAML values beside the type they should have: reading them, and describing the type."""

import math
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml
from msgspec import inspect

from callagent_cli.durations import DURATION_MARK, duration_text, parse_duration

BAD: Final = object()
"""Stands for a value that does not fit its type."""

_TAG: Final = "tag:yaml.org,2002:"
_TEXT_TAGS: Final = frozenset({"str", "timestamp", "value"})
_KNOWN_TAGS: Final = _TEXT_TAGS | {"int", "float", "bool", "null"}
_INTEGER: Final = re.compile(r"[+-]?(?:0|[1-9][0-9_]*)")
_NUMBER: Final = re.compile(r"[+-]?(?:\d[\d_]*)(?:\.\d*)?(?:[eE][+-]?\d+)?")
_LARGEST_EXACT: Final = 2**63
_KEYS_SHOWN_MAX: Final = 4

_ANY_CONSTRUCTOR: Final = yaml.constructor.SafeConstructor()


def read_scalar(node: yaml.ScalarNode, type_: inspect.Type) -> Any:  # noqa: ANN401 — YAML.
    """Return the value that a scalar has under a type, or `BAD`.

    The type decides, not the looks: `21:00` is a text where a text is wanted, although YAML 1.1
    takes it for the number 1260, and `no` is a country.
    """
    if node.tag.removeprefix(_TAG) not in _KNOWN_TAGS:
        return BAD
    if isinstance(type_, inspect.UnionType):
        values = (read_scalar(node, each) for each in _by_strictness(type_))
        return next((value for value in values if value is not BAD), BAD)
    if isinstance(type_, inspect.Metadata):
        if is_duration(type_):
            return _duration(node, type_.type)
        return read_scalar(node, type_.type)
    for kind, read in _READERS.items():
        if isinstance(type_, kind):
            return read(node, type_)
    return BAD


def is_duration(type_: inspect.Type) -> bool:
    """Whether a type is a number of seconds written as a duration."""
    return isinstance(type_, inspect.Metadata) and DURATION_MARK in (type_.extra or {})


def _by_strictness(type_: inspect.UnionType) -> Iterator[inspect.Type]:
    """Yield a union's members, text last: everything is a text."""
    yield from sorted(type_.types, key=lambda each: isinstance(each, inspect.StrType))


def untyped(node: yaml.ScalarNode) -> Any:  # noqa: ANN401 — YAML.
    """Return a scalar as YAML itself takes it, or `BAD` when it contradicts its tag."""
    if node.tag.removeprefix(_TAG) in _TEXT_TAGS:
        return node.value
    try:
        return _ANY_CONSTRUCTOR.construct_object(node)
    except (ValueError, yaml.YAMLError):
        return BAD


def _is_null(node: yaml.ScalarNode) -> bool:
    return node.tag == f"{_TAG}null"


def _is_quoted(node: yaml.ScalarNode) -> bool:
    return bool(node.style)


def _null(node: yaml.ScalarNode, _: inspect.Type) -> Any:  # noqa: ANN401 — YAML.
    return None if _is_null(node) else BAD


def _bool(node: yaml.ScalarNode, _: inspect.Type) -> Any:  # noqa: ANN401 — YAML.
    return untyped(node) if node.tag == f"{_TAG}bool" else BAD


def _int(node: yaml.ScalarNode, type_: Any) -> Any:  # noqa: ANN401 — YAML.
    if _is_quoted(node) or _INTEGER.fullmatch(node.value) is None:
        return BAD
    value = int(node.value)
    return value if abs(value) < _LARGEST_EXACT and _in_bounds(value, type_) else BAD


def _float(node: yaml.ScalarNode, type_: Any) -> Any:  # noqa: ANN401 — YAML.
    if _is_quoted(node) or _NUMBER.fullmatch(node.value) is None:
        return BAD
    value = float(node.value)
    return value if math.isfinite(value) and _in_bounds(value, type_) else BAD


def _duration(node: yaml.ScalarNode, type_: Any) -> Any:  # noqa: ANN401 — YAML.
    value = parse_duration(node.value)
    return BAD if value is None or not _in_bounds(value, type_) else value


def _in_bounds(value: float, type_: Any) -> bool:  # noqa: ANN401 — int and float types alike.
    return (
        (type_.ge is None or value >= type_.ge)
        and (type_.gt is None or value > type_.gt)
        and (type_.le is None or value <= type_.le)
        and (type_.lt is None or value < type_.lt)
    )


def _str(node: yaml.ScalarNode, type_: Any) -> Any:  # noqa: ANN401 — YAML.
    text = node.value
    if _is_null(node) and not _is_quoted(node):
        return BAD
    if text in {"true", "false"} and not _is_quoted(node):
        return BAD
    if type_.pattern is not None and re.search(type_.pattern, text) is None:
        return BAD
    least, most = type_.min_length or 0, type_.max_length
    return text if len(text) >= least and (most is None or len(text) <= most) else BAD


def _literal(node: yaml.ScalarNode, type_: Any) -> Any:  # noqa: ANN401 — YAML.
    by_text = {str(value): value for value in type_.values}
    return by_text.get(node.value, BAD)


def _enum(node: yaml.ScalarNode, type_: Any) -> Any:  # noqa: ANN401 — YAML.
    by_text = {str(member.value): member.value for member in type_.cls}
    return by_text.get(node.value, BAD)


def _any(node: yaml.ScalarNode, _: inspect.Type) -> Any:  # noqa: ANN401 — YAML.
    return untyped(node)


_READERS: Final[dict[type[inspect.Type], Any]] = {
    inspect.NoneType: _null,
    inspect.BoolType: _bool,
    inspect.IntType: _int,
    inspect.FloatType: _float,
    inspect.StrType: _str,
    inspect.LiteralType: _literal,
    inspect.EnumType: _enum,
    inspect.AnyType: _any,
}


def choices(type_: inspect.Type) -> list[str]:
    """Return the words that a value may be, when the type lists them."""
    if isinstance(type_, inspect.UnionType):
        return [word for each in type_.types for word in choices(each)]
    if isinstance(type_, inspect.LiteralType):
        return [str(value) for value in type_.values]
    if isinstance(type_, inspect.EnumType):
        return [str(member.value) for member in type_.cls]
    return []


def describe(type_: inspect.Type) -> str:
    """Return what a value must be, such as `a whole number ≥ 1`."""
    if isinstance(type_, inspect.UnionType):
        members = [each for each in type_.types if not isinstance(each, inspect.NoneType)]
        return " or ".join(dict.fromkeys(describe(each) for each in members))
    if is_duration(type_):
        return f"a duration such as `30s` or `1m30s`{_duration_bounds(type_)}"
    if isinstance(type_, inspect.Metadata):
        return describe(type_.type)
    if words := choices(type_):
        return ("one of " if len(words) > 1 else "") + ", ".join(f"`{word}`" for word in words)
    return _PLAIN_NAMES.get(type(type_), "a mapping") + _limits(type_)


def _duration_bounds(type_: Any) -> str:  # noqa: ANN401 — `Metadata` around a float.
    least_s, most_s = type_.type.ge, type_.type.le
    if least_s is not None and most_s is not None:
        return f" from {duration_text(least_s)} to {duration_text(most_s)}"
    return " that is more than 0s" if type_.type.gt is not None else ""


def _limits(type_: inspect.Type) -> str:
    if isinstance(type_, (inspect.IntType, inspect.FloatType)):
        return _bounds(type_)
    if isinstance(type_, inspect.StrType) and type_.pattern:
        return f" that matches `{type_.pattern}`"
    if isinstance(type_, inspect.StructType):
        names = [field.encode_name for field in type_.fields]
        return (
            f" ({', '.join(names[:_KEYS_SHOWN_MAX])}{' …' if len(names) > _KEYS_SHOWN_MAX else ''})"
        )
    return ""


_PLAIN_NAMES: Final[dict[type[inspect.Type], str]] = {
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.BoolType: "true or false",
    inspect.StrType: "text",
    inspect.NoneType: "null",
    inspect.ListType: "a list",
    inspect.AnyType: "a value",
}


def _exact(bound: float) -> str:
    return str(int(bound)) if bound == int(bound) else f"{bound:g}"


def _bounds(type_: inspect.IntType | inspect.FloatType) -> str:
    bounds = (("≥", type_.ge), (">", type_.gt), ("≤", type_.le), ("<", type_.lt))
    written = [f"{sign} {_exact(bound)}" for sign, bound in bounds if bound is not None]
    return f" {' and '.join(written)}" if written else ""
