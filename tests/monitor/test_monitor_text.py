"""Plain text: foreign text made harmless, measured right, and what `status` prints."""

import unicodedata
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor_scenes import NOW, SCENES, incident, lost
from monitor_stage import compare_golden

from callagent_cli.monitor.paint.glyphs import UNICODE, bar, sparkline, to_ascii
from callagent_cli.monitor.paint.plain import (
    clean,
    countdown,
    cut,
    fit,
    latency,
    percent,
    short_duration,
    width,
)
from callagent_cli.monitor.paint.table import Column, lay_out
from callagent_cli.monitor.text import (
    Paper,
    alert_lines,
    contact_lines,
    service_lines,
    status_lines,
    verdict_line,
)
from callagent_cli.monitor.view.series import Durations, Ring


@given(st.text())
def test_clean_text_cannot_steer_a_terminal(text: str) -> None:
    """No control, format, private or surrogate character is left, and cleaning again is idle."""
    cleaned = clean(text)

    assert not {unicodedata.category(character)[0] for character in cleaned} & {"C"}
    assert "\n" not in cleaned
    assert clean(cleaned) == cleaned


def test_escape_sequences_lose_their_escape() -> None:
    """What is left of an escape sequence is text."""
    assert clean("\x1b[31mred") == "·[31mred"


@given(st.text(), st.integers(0, 40), st.booleans())
def test_fitted_text_has_exactly_the_wanted_width(text: str, columns: int, right: bool) -> None:
    """Whatever the text, it takes exactly the columns it was given."""
    assert width(fit(clean(text), columns, right=right)) == columns


@given(st.text(), st.integers(0, 40))
def test_cut_text_is_never_too_wide(text: str, columns: int) -> None:
    """A cut never exceeds its room, and text that fits is not touched."""
    cleaned = clean(text)
    assert width(cut(cleaned, columns)) <= columns
    assert cut(cleaned, width(cleaned)) == cleaned


def test_wide_characters_take_two_columns() -> None:
    """East Asian characters count double, combining marks nothing."""
    assert width("漢字") == 4
    assert width("e\u0301") == 1
    assert cut("漢字漢字", 5) == "漢字…"


@given(st.text())
def test_ascii_text_keeps_its_width(text: str) -> None:
    """Text put into ASCII takes the same columns."""
    cleaned = clean(text)
    assert to_ascii(cleaned).isascii()
    assert len(to_ascii(cleaned)) == width(cleaned)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "00:00"), (7.9, "00:07"), (760, "12:40"), (8047, "2:14:07"), (360000, "100:00:00")],
)
def test_countdown_is_in_whole_seconds(seconds: float, text: str) -> None:
    """Countdowns are minutes and seconds, hours only when there are any, never negative."""
    assert countdown(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59, "59s"), (200, "3m 20s"), (3600, "1h"), (8047, "2h 14m"), (446400, "5d 4h")],
)
def test_durations_have_two_units_at_most(seconds: float, text: str) -> None:
    """Durations are short, and leave out a unit that is zero."""
    assert short_duration(seconds) == text


@given(st.floats(0, 1e6))
def test_latency_never_takes_more_than_five_columns(seconds: float) -> None:
    """The column of the 95th percentile never breaks."""
    assert len(latency(seconds)) <= 5


def test_shares_read_as_percent() -> None:
    """A share of one has no decimal, so that its column stays narrow."""
    assert [percent(share) for share in (0, 0.005, 0.62, 1)] == ["0.0%", "0.5%", "62.0%", "100%"]


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20).map(tuple))
def test_sparkline_is_blank_for_nothing_and_full_for_the_most(counts: tuple[int, ...]) -> None:
    """One mark a count: blank exactly where nothing happened, the top level at the maximum."""
    line = sparkline(counts, UNICODE.levels)

    assert len(line) == len(counts)
    assert [mark == " " for mark in line] == [count == 0 for count in counts]
    if max(counts):
        assert line[counts.index(max(counts))] == UNICODE.levels[-1]


@given(st.floats(0, 1), st.integers(1, 60))
def test_bar_has_its_width_and_is_full_only_at_the_end(share: float, columns: int) -> None:
    """A bar never looks finished before it is."""
    drawn = bar(share, columns, "#", "-")

    assert len(drawn) == columns
    if share < 0.999:
        assert drawn.endswith("-")


@given(st.lists(st.tuples(st.floats(0, 500), st.integers(1, 3)), max_size=60), st.floats(500, 700))
def test_ring_counts_exactly_the_last_minute(events: list[tuple[float, int]], now_s: float) -> None:
    """A ring agrees with counting by hand, whatever the gaps between events."""
    ring = Ring(60)
    ordered = sorted(events)
    for at_s, count in ordered:
        ring.add(at_s, count)
    expected = sum(count for at_s, count in ordered if int(at_s) > int(now_s) - 60)

    assert ring.total(now_s) == expected
    assert len(ring.spans(now_s, 6)) == 10
    assert sum(ring.spans(now_s, 6)) <= sum(count for _, count in ordered)


def test_ring_survives_a_clock_that_is_set_back() -> None:
    """Set back by an hour, the window begins again; by a moment, nothing is lost."""
    ring = Ring(60)
    ring.add(5000)
    ring.add(4998)
    assert ring.total(5000) == 2
    ring.add(1000)
    assert ring.total(1000) == 1


def test_percentile_is_the_nearest_rank() -> None:
    """Of 1 … 100, the 95th percentile is 96 by nearest rank above; without samples none."""
    durations = Durations()
    assert durations.percentile(0.95, 0.0) is None
    for number in range(1, 101):
        durations.add(10.0, float(number))
    assert durations.percentile(0.95, 10.0) == 96.0
    assert durations.percentile(0.95, 100.0) is None


@given(st.integers(1, 250))
def test_columns_fit_whatever_the_width(room: int) -> None:
    """The columns and their gaps never exceed the room, unless one column alone does."""
    columns = [Column("a", "A", 8), Column("b", "B", 5, rank=1), Column("c", "C", 9, rank=2)]
    columns[1] = Column("b", "B", 5, rank=1, flex=True)
    placed = lay_out(columns, room)

    assert sum(column.width for column in placed) + 2 * (len(placed) - 1) <= room
    assert [item.column.key for item in placed] == ["a", "b", "c"][: len(placed)]


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("columns", [40, 80, 120])
def test_status_never_exceeds_its_width(scene: str, columns: int) -> None:
    """Every line of the status fits, in Unicode and in ASCII."""
    for ascii_only in (False, True):
        paper = Paper(columns=columns, ascii_only=ascii_only, zone=UTC)
        lines = status_lines(SCENES[scene](), NOW, paper)

        assert all(width(line) <= columns for line in lines)
        assert not ascii_only or "".join(lines).isascii()


def test_status_begins_with_the_verdict() -> None:
    """The first line says whether it runs, and why not."""
    paper = Paper(zone=UTC)
    lines = status_lines(lost(), NOW, paper)

    assert lines[0] == "! LOST  no heartbeat from pid 4711 on host-a for 42s"
    assert verdict_line(lost(), NOW, paper) == lines[0]


def test_status_totals_add_up_in_words() -> None:
    """The counts stand as a sum that a person can check."""
    line = contact_lines(incident(), NOW, Paper(columns=120))[0]
    total, parts = line.removeprefix("Contacts").split("=")

    assert int(total) == sum(int(part.split()[0]) for part in parts.split("+")) == 103


def test_status_shows_breakers_and_open_alerts_only() -> None:
    """The table names each breaker's state; resolved alerts are left out."""
    paper = Paper(columns=100, zone=UTC)
    services = "\n".join(service_lines(incident(), NOW, paper))
    alerts = "\n".join(alert_lines(incident(), NOW, paper))

    assert "■ OPEN" in services
    assert "check 00:07" in services
    assert "elevenlabs is down (503)" in alerts
    assert "llm is slow" not in alerts


def test_status_looks_as_recorded() -> None:
    """The whole status of an incident is exactly the recorded text."""
    shown = "\n".join(status_lines(incident(), NOW, Paper(zone=UTC))) + "\n"

    compare_golden("status_incident_80", shown)
