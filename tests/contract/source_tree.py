"""The repository as data: parsed once, asked by every contract test."""

import ast
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "callagent_cli"
TESTS: Final = ROOT / "tests"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def package_files() -> tuple[Path, ...]:
    """Return every Python file of the package."""
    return tuple(sorted(PACKAGE.rglob("*.py")))


@cache
def files_of_tests() -> tuple[Path, ...]:
    """Return every Python file of the tests."""
    return tuple(sorted(TESTS.rglob("*.py")))


@cache
def pyproject() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def where(path: Path, node: ast.AST | None = None) -> str:
    """Return `folder/file.py:line` as a person, and an editor, can follow it."""
    line = getattr(node, "lineno", None)
    name = path.relative_to(ROOT).as_posix()
    return name if line is None else f"{name}:{line}"


def in_package(path: Path) -> str:
    """Return a file's path below the package, such as `store/port.py`."""
    return path.relative_to(PACKAGE).as_posix()


@cache
def functions(path: Path) -> tuple[tuple[Function, bool], ...]:
    """Return each function of a file and whether it is a method."""
    return tuple(
        (child, isinstance(node, ast.ClassDef))
        for node in ast.walk(parsed(path))
        for child in ast.iter_child_nodes(node)
        if isinstance(child, Function)
    )


def code_lines(function: Function) -> int:
    """Return how many lines a function has without its docstring and decorators."""
    body = function.body
    first = body[0]
    docstring = 0
    if ast.get_docstring(function) is not None:
        docstring = (first.end_lineno or first.lineno) - first.lineno + 1
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


def names_brought_in(tree: ast.Module) -> dict[str, str]:
    """Return local name → dotted origin for everything a file imports, at any depth."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """Return the dotted origin an expression refers to, or an empty string."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        base = dotted(node.value, names)
        return f"{base}.{node.attr}" if base else ""
    return ""
