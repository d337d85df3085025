"""Lets the killed runs of a test rest only when nobody looks at them any more."""

from collections.abc import Iterator

import pytest

from callagent_cli.simulation.virtual.run import release_killed


@pytest.fixture(autouse=True)
def _graves() -> Iterator[None]:
    """Free what the killed runs of a test left behind."""
    yield
    release_killed()
