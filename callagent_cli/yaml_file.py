"""YAML files read strictly into typed values; all that is wrong is told at once, with its line."""

import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
import yaml

from callagent_cli.errors import CallAgentError
from callagent_cli.yaml_reader import Problem, Reader, without_bad
from callagent_cli.yaml_scalar import BAD

T = TypeVar("T")

SIZE_BYTES_MAX: Final = 1_000_000
DEPTH_MAX: Final = 60
_PROBLEMS_SHOWN_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class YamlFile(Generic[T]):
    """A file that was read: its `value`, the `plain` keys that were written, and their lines."""

    path: Path
    value: T
    plain: Any
    lines: dict[str, int] = field(repr=False)

    def line(self, key: str) -> int:
        """Return the line of a dotted key, or of the nearest key around it that was written."""
        while key and key not in self.lines:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return self.lines.get(key, 1)


Check = Callable[[YamlFile[T]], Iterable[tuple[str, str]]]
"""Yields what is wrong beyond the types: a dotted key, and a sentence."""


def load_yaml(
    path: Path,
    type_: type[T],
    *,
    error: type[CallAgentError],
    hint: str = "",
    check: Check[T] | None = None,
) -> YamlFile[T]:
    """Read a file into a msgspec type; raises `error` with everything that is wrong with it."""
    text = _text(path, error)
    return parse_yaml(text, type_, path=path, error=error, hint=hint, check=check)


def parse_yaml(
    text: str,
    type_: type[T],
    *,
    path: Path,
    error: type[CallAgentError],
    hint: str = "",
    check: Check[T] | None = None,
) -> YamlFile[T]:
    """Convert YAML text into a msgspec type; `path` is the name shown in what is wrong.

    `check` also looks at what can be made of a file in which some types are wrong.
    """
    node = _node(text, path, error)
    if node is None:
        raise error(f"{path}: the file is empty", hint=hint or "write at least one key")
    reader = Reader()
    plain = reader.read(node, msgspec.inspect.type_info(type_))
    value = _convert(plain, type_, reader)
    file = None if value is None else YamlFile(path, value, plain, reader.lines)
    problems = list(reader.problems)
    if file is not None and check is not None:
        found = check(file)
        problems += (Problem(file.line(key), what) for key, what in found if _is_sure(key, reader))
    if file is None or problems:
        raise problems_error(path, problems, error=error, hint=hint)
    return file


def _is_sure(key: str, reader: Reader) -> bool:
    """Whether a problem is one of its own, and does not follow from a type that is wrong.

    Where something of the kind is wrong already, what stands around it is not looked at, and
    neither is what a file expects of a part that could not be read.
    """
    if key.startswith("expect") and any(wrong.startswith("timeline") for wrong in reader.wrong):
        return False
    return not any(wrong.startswith(key) or key.startswith(wrong) for wrong in reader.wrong)


def problems_error(
    path: Path, problems: Iterable[Problem], *, error: type[CallAgentError], hint: str = ""
) -> CallAgentError:
    """Return one error that lists all problems of a file, by line."""
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: problem.line)
    lines = [_on_one_line(f"{path}:{problem.line}: {problem.text}") for problem in ordered]
    if len(lines) > _PROBLEMS_SHOWN_MAX:
        lines[_PROBLEMS_SHOWN_MAX:] = [f"… and {len(lines) - _PROBLEMS_SHOWN_MAX} more"]
    if not hint:
        hint = "correct the line" if len(ordered) == 1 else "correct these lines"
    return error("\n".join(lines), hint=hint)


def _on_one_line(text: str) -> str:
    """Return a text with line ends and other control characters of a file escaped."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def _convert(plain: Any, type_: type[T], reader: Reader) -> T | None:  # noqa: ANN401 — YAML.
    """Return the value, or what there is of it without what `reader` found to be wrong."""
    if reader.problems:
        plain = without_bad(plain)
    if plain is BAD:
        return None
    try:
        return msgspec.convert(plain, type_)
    except msgspec.ValidationError as error:
        if not reader.problems:
            reader.problems.append(Problem(1, str(error)))
        return None


def _text(path: Path, error: type[CallAgentError]) -> str:
    try:
        _refuse_what_is_no_file(path, error)
        with path.open("rb") as file:
            body = file.read(SIZE_BYTES_MAX + 1)
    except FileNotFoundError as cause:
        raise error(f"`{path}` does not exist", hint="check the path") from cause
    except OSError as cause:
        reason = cause.strerror or str(cause)
        raise error(f"cannot read `{path}`: {reason}", hint="check its permissions") from cause
    if len(body) > SIZE_BYTES_MAX:
        message = f"`{path}` is larger than {SIZE_BYTES_MAX // 1_000_000} MB"
        raise error(message, hint="this is not the file you meant")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = body[: cause.start].count(b"\n") + 1
        raise error(f"{path}:{line}: the file is not UTF-8", hint="save it as UTF-8") from cause


def _refuse_what_is_no_file(path: Path, error: type[CallAgentError]) -> None:
    """Refuse what may have no end, or none to write into it, such as a device or a pipe."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise error(f"`{path}` is a directory", hint="name a YAML file")
    if not stat.S_ISREG(mode):
        raise error(f"`{path}` is no regular file", hint="write its text to a file")


def _node(text: str, path: Path, error: type[CallAgentError]) -> yaml.Node | None:
    hint = "correct the YAML"
    try:
        _refuse_depth(text, path, error)
        # The loader only composes: no Python object is built from a tag of the file.
        node: yaml.Node | None = yaml.compose(text, Loader=_loader())
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        reason = cause.problem or cause.context or "cannot be read"
        raise error(f"{path}{place}: not YAML: {reason}", hint=hint) from cause
    except yaml.YAMLError as cause:
        reason = " ".join(str(cause).split())
        raise error(f"{path}: not YAML: {reason}", hint=hint) from cause
    return node


def _refuse_depth(text: str, path: Path, error: type[CallAgentError]) -> None:
    """Refuse what is nested so deeply that composing it would exhaust the C stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_loader()):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_MAX:
            line = event.start_mark.line + 1 if event.start_mark else 1
            message = f"{path}:{line}: nested more than {DEPTH_MAX} levels deep"
            raise error(message, hint="this is not the file you meant")


def _loader() -> Any:  # noqa: ANN401 — both loaders are classes without a common base.
    """Return the loader on libyaml, or the one in Python where that was not built."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
