"""What a twin keeps of thousands of calls is what it was given, found by its texts."""

import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.simulation.twins.archive import FRESH, PACK, Archive, Positions


class Item(msgspec.Struct, frozen=True):
    """A value with what JSON and line feeds could spoil."""

    text: str
    at: float


def _items(count: int) -> list[Item]:
    return [Item(f"line\nfeed {number} …", number / 3) for number in range(count)]


def _filled(count: int) -> Archive[Item]:
    archive = Archive(Item)
    for item in _items(count):
        archive.append(item)
    return archive


@pytest.mark.parametrize("count", [0, 1, FRESH, FRESH + PACK - 1, FRESH + PACK, FRESH + 5 * PACK])
def test_an_archive_gives_back_what_was_added_in_its_order(count: int) -> None:
    """Packed or fresh, every value is equal to the one that was added."""
    archive = _filled(count)

    assert len(archive) == count
    assert list(archive) == _items(count)
    assert [archive[position] for position in reversed(range(count))] == _items(count)[::-1]


def test_an_archive_has_nothing_outside_its_ends() -> None:
    """A position before the first or after the last value is an `IndexError`."""
    archive = _filled(FRESH + PACK)

    assert archive[-1] == archive[FRESH + PACK - 1]
    assert archive[1:3] == _items(3)[1:]
    for position in (FRESH + PACK, -FRESH - PACK - 1):
        with pytest.raises(IndexError):
            archive[position]


def test_old_values_take_a_fraction_of_their_text() -> None:
    """Thousands of alike values are kept in less than a third of their JSON."""
    archive = _filled(FRESH + 20 * PACK)

    packed = sum(map(len, archive._packs))
    assert packed * 3 < len(msgspec.json.encode(_items(20 * PACK)))
    assert zlib.decompress(archive._packs[0]).count(b"\n") == PACK - 1


@given(st.lists(st.sampled_from([f"call-{number}" for number in range(40)]), max_size=300))
def test_positions_are_those_of_the_text_and_the_latest_comes_first(texts: list[str]) -> None:
    """Whatever is added, in whatever order, a text is found wherever it stands."""
    positions = Positions()
    for text in texts:
        positions.append(text)

    for text in {*texts, "somebody else"}:
        found = [each for each in positions.latest_first(text) if texts[each] == text]
        assert found == [each for each in range(len(texts)) if texts[each] == text][::-1]
