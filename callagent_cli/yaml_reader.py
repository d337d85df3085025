"""Walks YAML nodes beside the msgspec type they should have, and says where they differ."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import yaml
from msgspec import inspect

from callagent_cli.suggestions import did_you_mean
from callagent_cli.yaml_scalar import BAD, choices, describe, is_duration, read_scalar

NODES_MAX: Final = 200_000
_KEYS_LISTED_MAX: Final = 12
_SHOWN_LENGTH_MAX: Final = 40
_CONTAINERS: Final = (inspect.StructType, inspect.DictType, inspect.ListType, inspect.NoneType)


class Problem(NamedTuple):
    """Something wrong in a file, and the line it stands on."""

    line: int
    text: str


class _TooMuch(Exception):
    """Aliases multiply the file beyond reason."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?` for a misspelt word, or an empty string."""
    close = did_you_mean(word, known)
    return "" if close is None else f"; did you mean `{close}`?"


class Reader:
    """Turns a document into plain values; leaves its `problems` and the `lines` of its keys.

    `wrong` has the dotted keys of the problems.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.wrong: list[str] = []
        self.lines: dict[str, int] = {}
        self._open: set[int] = set()
        self._nodes = 0

    def read(self, node: yaml.Node, type_: inspect.Type) -> Any:  # noqa: ANN401 — YAML.
        """Return the document's value; it means nothing once there are `problems`."""
        try:
            return self._read(node, type_, "")
        except _TooMuch:
            self.problems.append(Problem(1, f"the aliases unfold to over {NODES_MAX} values"))
            return BAD

    def _read(self, node: yaml.Node, type_: inspect.Type, path: str) -> Any:  # noqa: ANN401 — any.
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise _TooMuch
        if id(node) in self._open:
            return self._problem(node, path, f"{_subject(path)} contains itself")
        self._open.add(id(node))
        try:
            return self._read_kind(node, type_, path)
        finally:
            self._open.discard(id(node))

    def _read_kind(self, node: yaml.Node, type_: inspect.Type, path: str) -> Any:  # noqa: ANN401 — any.
        value: Any = BAD
        if isinstance(node, yaml.MappingNode):
            value = self._mapping(node, type_, path)
        elif isinstance(node, yaml.SequenceNode):
            value = self._sequence(node, type_, path)
        elif isinstance(node, yaml.ScalarNode):
            value = read_scalar(node, type_)
        return self._wrong(node, type_, path) if value is BAD else value

    def _mapping(self, node: yaml.MappingNode, type_: inspect.Type, path: str) -> Any:  # noqa: ANN401 — any.
        for kind in _members(type_):
            if isinstance(kind, inspect.StructType):
                return self._struct(node, _by_tag(node, type_, kind), path)
            if isinstance(kind, inspect.DictType):
                return self._dict(node, kind.value_type, path)
            if isinstance(kind, inspect.AnyType):
                return self._dict(node, kind, path)
        return BAD

    def _sequence(self, node: yaml.SequenceNode, type_: inspect.Type, path: str) -> Any:  # noqa: ANN401 — any.
        for kind in _members(type_):
            if isinstance(kind, (inspect.ListType, inspect.VarTupleType)):
                return self._list(node, kind, path)
            if isinstance(kind, inspect.AnyType):
                return [self._read(each, kind, f"{path}[]") for each in node.value]
        return BAD

    def _struct(self, node: yaml.MappingNode, type_: inspect.StructType, path: str) -> Any:  # noqa: ANN401 — any.
        fields = {field.encode_name: field for field in type_.fields}
        known = [*fields, *([type_.tag_field] if type_.tag_field else [])]
        value: dict[str, Any] = {}
        for key, key_node, value_node in self._pairs(node, path):
            here = f"{path}.{key}" if path else key
            if key in fields:
                value[key] = self._read(value_node, fields[key].type, here)
            elif key == type_.tag_field:
                value[key] = read_scalar(value_node, inspect.StrType())
            else:
                more = nearest(key, known) or _listed(known)
                self._problem(key_node, here, f"unknown key `{here}`{more}")
        for key, field in fields.items():
            if field.required and key not in value:
                here = f"{path}.{key}" if path else key
                text = f"`{here}` is missing: it must be {describe(field.type)}"
                self._problem(node, here, text)
        return value

    def _dict(self, node: yaml.MappingNode, type_: inspect.Type, path: str) -> Any:  # noqa: ANN401 — any.
        return {
            key: self._read(value_node, type_, f"{path}.{key}" if path else key)
            for key, _, value_node in self._pairs(node, path)
        }

    def _list(self, node: yaml.SequenceNode, type_: Any, path: str) -> Any:  # noqa: ANN401 — any.
        values = []
        for index, each in enumerate(node.value):
            here = f"{path}[{index}]"
            self.lines[here] = each.start_mark.line + 1
            values.append(self._read(each, type_.item_type, here))
        least, most = type_.min_length or 0, type_.max_length
        if len(values) < least or (most is not None and len(values) > most):
            amount = f"{least}" if least == most else f"at least {least}"
            text = f"{_subject(path)} must have {amount} items, not {len(values)}"
            self._problem(node, path, text)
        return values

    def _pairs(self, node: yaml.MappingNode, path: str) -> list[tuple[str, yaml.Node, Any]]:
        """Return the keys of a mapping with their nodes, after noting which cannot be used."""
        pairs: list[tuple[str, yaml.Node, Any]] = []
        first_lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(key_node, path, f"a key of {_subject(path)} is not text")
                continue
            key = key_node.value
            line = key_node.start_mark.line + 1
            here = f"{path}.{key}" if path else key
            if key in first_lines:
                text = f"`{here}` stands here again; see line {first_lines[key]}"
                self._problem(key_node, here, text)
                continue
            first_lines[key] = self.lines[here] = line
            pairs.append((key, key_node, value_node))
        return pairs

    def _wrong(self, node: yaml.Node, type_: inspect.Type, path: str) -> object:
        wanted = describe(type_)
        text = f"{_subject(path)} must be {wanted}, not {_shown(node, type_)}"
        if isinstance(node, yaml.ScalarNode):
            text += nearest(node.value, choices(type_))
        return self._problem(node, path, text)

    def _problem(self, node: yaml.Node, path: str, text: str) -> object:
        self.wrong.append(path)
        self.problems.append(Problem(node.start_mark.line + 1, text))
        return BAD


def without_bad(value: Any) -> Any:  # noqa: ANN401 — YAML.
    """Return a read value without the keys and items that do not fit; `BAD` is what does not."""
    if isinstance(value, dict):
        kept = {key: without_bad(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each is not BAD}
    if isinstance(value, list):
        # A list without one of its items would be another list: the others would change places.
        items = [without_bad(each) for each in value]
        return BAD if BAD in items else items
    return value


def _members(type_: inspect.Type) -> list[inspect.Type]:
    """Return the types of a union, or the one type, without wrappers (a duration keeps its)."""
    if isinstance(type_, inspect.UnionType):
        return [member for each in type_.types for member in _members(each)]
    if isinstance(type_, inspect.Metadata) and not is_duration(type_):
        return _members(type_.type)
    return [type_]


def _by_tag(
    node: yaml.MappingNode, type_: inspect.Type, default: inspect.StructType
) -> inspect.StructType:
    """Return the struct of a tagged union that a mapping says it is."""
    scalars = [pair for pair in node.value if isinstance(pair[0], yaml.ScalarNode)]
    written = {key.value: value.value for key, value in scalars}
    for each in _members(type_):
        if (
            isinstance(each, inspect.StructType)
            and each.tag_field
            and written.get(each.tag_field) == each.tag
        ):
            return each
    return default


def _subject(path: str) -> str:
    return f"`{path}`" if path else "the file"


def _listed(known: list[str]) -> str:
    if len(known) > _KEYS_LISTED_MAX:
        return ""
    return f"; known keys: {', '.join(known)}"


def _shown(node: yaml.Node, type_: inspect.Type) -> str:
    """Return how a value is named in a message: quoted text, a bare number, or its kind.

    A text where a mapping belongs is not repeated: it may be a secret (`api_key: sk-…`).
    """
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if not isinstance(node, yaml.ScalarNode):
        return "a list"
    text = node.value
    is_text = bool(node.style) or node.tag.endswith(":str")
    if not text and not is_text:
        return "empty"
    if is_text and all(isinstance(each, _CONTAINERS) for each in _members(type_)):
        return "a text"
    if len(text) > _SHOWN_LENGTH_MAX:
        text = f"{text[:_SHOWN_LENGTH_MAX]}…"
    return f'"{text}"' if is_text else text
