"""Broad `except` stands where DESIGN.md allows it, and one module writes to each stream."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from source_tree import dotted, in_package, names_brought_in, package_files, parsed, where

BROAD: Final = {"Exception", "BaseException"}
BOUNDARIES: Final = {"events.py": "the listeners", "cli/app.py": "main()"}
"""Files with one broad `except` each; one more, around each call, stands in `worker/`."""

STDOUT_WRITER: Final = "cli/text/output.py"
STDERR_WRITER: Final = "cli/text/diagnostics.py"


def _is_broad(handler: ast.ExceptHandler) -> bool:
    """Whether a handler swallows everything; one that ends in `raise` only tidies up."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in BROAD for kind in caught)


def _broad_handlers(path: Path) -> Iterator[ast.ExceptHandler]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node):
            yield node


def _boundary(path: Path) -> str:
    below = in_package(path)
    return "worker/" if below.startswith("worker/") else below


def test_broad_except_stands_at_the_three_boundaries_only() -> None:
    """Only the listeners, the per-call boundary and `main()` catch everything, once each."""
    found = [(path, handler) for path in package_files() for handler in _broad_handlers(path)]
    allowed = {*BOUNDARIES, "worker/"}
    count = Counter(_boundary(path) for path, _ in found)

    offenders = [
        where(path, handler)
        for path, handler in found
        if _boundary(path) not in allowed or count[_boundary(path)] > 1
    ]

    assert not offenders, "\n".join(offenders)


def _prints(path: Path) -> Iterator[ast.AST]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Name) and node.id == "print":
            yield node


def test_nothing_prints() -> None:
    """No file of the package uses `print`: text goes through the two writers."""
    assert [where(path, node) for path in package_files() for node in _prints(path)] == []


def _stream_uses(path: Path, stream: str) -> Iterator[ast.AST]:
    tree = parsed(path)
    names = names_brought_in(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and dotted(node, names) == stream:
            yield node


def test_each_stream_has_one_writer() -> None:
    """One file touches `sys.stdout`, and another `sys.stderr`."""
    writers = {"sys.stdout": STDOUT_WRITER, "sys.stderr": STDERR_WRITER}

    offenders = [
        f"{where(path, node)} {stream}"
        for stream, writer in writers.items()
        for path in package_files()
        if in_package(path) != writer
        for node in _stream_uses(path, stream)
    ]

    assert not offenders, "\n".join(offenders)
