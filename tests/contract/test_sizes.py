"""Files, functions and parameter lists stay small enough to be read whole."""

from pathlib import Path
from statistics import median
from typing import Final

from source_tree import (
    Function,
    code_lines,
    files_of_tests,
    functions,
    package_files,
    where,
)

LONGEST_FILE: Final = 400
MEDIAN_FILE: Final = 150
LONGEST_FUNCTION: Final = 60
POSITIONAL_PARAMETERS: Final = 4


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _positional(function: Function, *, method: bool) -> int:
    arguments = function.args
    static = any(getattr(mark, "id", "") == "staticmethod" for mark in function.decorator_list)
    own = 1 if method and not static else 0
    return len(arguments.posonlyargs) + len(arguments.args) - own


def test_no_file_is_longer_than_the_limit() -> None:
    """No source or test file exceeds 400 lines."""
    offenders = [
        f"{where(path)}: {_lines(path)} lines"
        for path in (*package_files(), *files_of_tests())
        if _lines(path) > LONGEST_FILE
    ]

    assert not offenders, "\n".join(offenders)


def test_half_of_the_files_are_short() -> None:
    """The median source file has at most 150 lines."""
    assert median(_lines(path) for path in package_files()) <= MEDIAN_FILE


def test_no_function_is_longer_than_the_limit() -> None:
    """No function exceeds 60 lines without its docstring."""
    offenders = [
        f"{where(path, function)} {function.name}: {code_lines(function)} lines"
        for path in (*package_files(), *files_of_tests())
        for function, _ in functions(path)
        if code_lines(function) > LONGEST_FUNCTION
    ]

    assert not offenders, "\n".join(offenders)


def test_no_function_takes_many_positional_parameters() -> None:
    """A function takes at most four positional parameters; the rest are named by the caller."""
    offenders = [
        f"{where(path, function)} {function.name}: {_positional(function, method=method)}"
        for path in package_files()
        for function, method in functions(path)
        if _positional(function, method=method) > POSITIONAL_PARAMETERS
    ]

    assert not offenders, "\n".join(offenders)
