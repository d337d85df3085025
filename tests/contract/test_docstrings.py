"""Everything public says what it means, and every test says what it proves."""

import ast
from collections.abc import Iterator

from source_tree import Function, files_of_tests, functions, package_files, parsed, where

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _public(node: ast.Module | ast.ClassDef) -> Iterator[Documented]:
    """Yield a module or class and what it shows, without what stands inside functions."""
    yield node
    for child in node.body:
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from _public(child)
        elif isinstance(child, Function) and not child.name.startswith("_") and _own(child):
            yield child


def _own(function: Function) -> bool:
    """Whether a function's meaning is its own, and not that of the method it overrides."""
    marks = {getattr(mark, "id", getattr(mark, "attr", "")) for mark in function.decorator_list}
    return not marks & {"override", "overload", "setter"}


def test_every_public_name_has_a_docstring() -> None:
    """Each module, public class and public function of the package has a docstring."""
    offenders = [
        f"{where(path, node)} {getattr(node, 'name', 'the module')}"
        for path in package_files()
        for node in _public(parsed(path))
        if not ast.get_docstring(node)
    ]

    assert not offenders, "\n".join(offenders)


def test_every_test_states_its_behavior() -> None:
    """Each test function has a docstring."""
    offenders = [
        f"{where(path, function)} {function.name}"
        for path in files_of_tests()
        for function, _ in functions(path)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]

    assert not offenders, "\n".join(offenders)
