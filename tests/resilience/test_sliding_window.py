"""The sliding window against a list of everything that was added."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.resilience.window import SLICES, Window

ATTEMPTS = st.lists(
    st.tuples(st.floats(0, 100), st.booleans(), st.booleans()), min_size=1, max_size=60
)


class ListModel:
    """Remembers every attempt with the number of its slice."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.added: list[tuple[int, bool, bool]] = []
        self.slice = 0

    def expected(self) -> tuple[int, int, int]:
        """Return attempts, failures and slow ones of this slice and the nine before."""
        kept = [one for one in self.added if one[0] > self.slice - SLICES]
        return (
            len(kept),
            sum(failed for _, failed, _ in kept),
            sum(slow for _, _, slow in kept),
        )


def replayed(
    attempts: list[tuple[float, bool, bool]], window_s: float, start_s: float
) -> Iterator[tuple[Window, ListModel]]:
    """Yield window and model after each attempt; the slice is what the window says it is."""
    window = Window(window_s)
    model = ListModel(window)
    now_s = start_s
    for pause_s, failed, slow in attempts:
        now_s += pause_s
        window.add(now_s, failed=failed, slow=slow)
        model.slice = round(window.next_slice_s / (window_s / SLICES)) - 1
        model.added.append((model.slice, failed, slow))
        assert abs(model.slice - now_s / (window_s / SLICES)) <= 1.000001
        assert now_s < window.next_slice_s
        yield window, model


@given(attempts=ATTEMPTS, window_s=st.floats(0.1, 1_000), start_s=st.floats(0, 1e6))
def test_its_sums_are_those_of_the_last_ten_slices(
    attempts: list[tuple[float, bool, bool]], window_s: float, start_s: float
) -> None:
    """Any pauses, any length, any origin: the sums are those of the list."""
    for window, model in replayed(attempts, window_s, start_s):
        assert (window.attempts, window.failures, window.slow) == model.expected()


@given(
    attempts=ATTEMPTS,
    window_s=st.sampled_from([0.7, 7.0, 3.3, 60.0, 10.0, 0.1]),
    steps=st.lists(st.integers(0, 12), min_size=1, max_size=40),
)
def test_it_forgets_nothing_twice_and_nothing_never_at_the_edges_of_slices(
    attempts: list[tuple[float, bool, bool]], window_s: float, steps: list[int]
) -> None:
    """Instants that are multiples of a slice are where rounding could count a slice twice."""
    slice_s = window_s / SLICES
    window = Window(window_s)
    model = ListModel(window)
    at = 0
    for step in steps:
        at += step
        window.add(at * slice_s, failed=True)
        model.slice = max(model.slice, round(window.next_slice_s / slice_s) - 1)
        model.added.append((model.slice, True, False))
        assert (window.attempts, window.failures, window.slow) == model.expected()
    window.advance(at * slice_s + 2 * window_s)

    assert (window.attempts, window.failures, window.slow) == (0, 0, 0)


def test_a_slice_whose_quotient_rounds_down_is_put_away_once() -> None:
    """3 x 0.7 / 0.7 is less than 3 in floating point; the slice ends all the same."""
    window = Window(7.0)

    for now_s in (0.0, 2 * 0.7, 3 * 0.7, 3 * 0.7, 3 * 0.7):
        window.add(now_s, failed=True)
    assert window.failures == 5
    window.advance(100.0)

    assert (window.attempts, window.failures) == (0, 0)


def test_the_end_of_a_slice_is_never_now() -> None:
    """8.25 / 0.275 is less than 30 in floating point; whoever waits for the end must not spin."""
    window = Window(2.75)

    window.add(8.25)

    assert window.next_slice_s > 8.25


def test_an_attempt_leaves_after_nine_to_ten_tenths() -> None:
    """One at the end of a slice leaves 54 s after that slice, one at its start after 60 s."""
    window = Window(60.0)
    window.add(5.9)

    window.advance(59.9)
    assert window.attempts == 1
    window.advance(60.0)

    assert window.attempts == 0


def test_looking_at_it_again_within_a_slice_changes_nothing() -> None:
    """Advancing to an instant before the end of the slice is no work."""
    window = Window(60.0)
    window.add(3.0, failed=True, slow=True)

    window.advance(3.0)
    window.advance(5.9)

    assert (window.attempts, window.failures, window.slow) == (1, 1, 1)
