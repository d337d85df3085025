"""The tree of errors as it is drawn at the top of `errors.py` is the tree of the classes."""

import inspect
import re
from collections.abc import Iterator

from callagent_cli import errors
from callagent_cli.errors import CallAgentError

BRANCH = re.compile(r"(?P<stem>(?:│   |    )*)[├└]── (?P<name>\w+)(?:.*  exit (?P<code>\d+))?")


def _drawn() -> Iterator[tuple[str, str, int | None]]:
    """Yield each drawn class with the one it hangs from and the exit code beside it."""
    path = ["CallAgentError"]
    for line in (errors.__doc__ or "").splitlines():
        if branch := BRANCH.match(line):
            path[len(branch["stem"]) // 4 + 1 :] = [branch["name"]]
            yield branch["name"], path[-2], int(branch["code"]) if branch["code"] else None


def test_every_error_hangs_where_it_is_drawn() -> None:
    """Each class stands in the drawing once, below its base."""
    classes = [
        (name, kind.__bases__[0].__name__)
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, CallAgentError) and kind is not CallAgentError
    ]

    assert sorted((name, base) for name, base, _ in _drawn()) == sorted(classes)


def test_the_drawn_exit_codes_are_those_of_the_classes() -> None:
    """A code is drawn exactly where a class ends the process otherwise than its base does."""
    for name, base, code in _drawn():
        own, inherited = (getattr(errors, each).exit_code for each in (name, base))

        assert code == (None if own == inherited else own), name
