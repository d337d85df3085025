"""What the twins draw by lot: endings, durations, latencies."""

from collections import Counter
from random import Random
from statistics import median, quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twin_helpers import always

from callagent_cli.simulation.twins.latency import (
    Draw,
    Latency,
    constant,
    lognormal,
    normal,
    uniform,
)
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.twins.personality import (
    TALKED_TO,
    Ending,
    Personality,
    sandbox_personality,
)
from callagent_cli.simulation.twins.roster import SERVICES, Roster
from callagent_cli.simulation.twins.twin import TwinRequest

NUMBERS = [f"+44207946{number:04d}" for number in range(1000)]


def test_the_usual_mix_of_endings_is_the_documented_one() -> None:
    """Out of many people the shares come out as the weights say."""
    people = Personality()
    endings = Counter(people.play(7, number, 1)[0].ending for number in NUMBERS)

    assert 650 < endings[Ending.ANSWERED] < 750
    assert 90 < endings[Ending.NO_ANSWER] < 150
    assert 55 < endings[Ending.BUSY] < 105
    assert 45 < endings[Ending.VOICEMAIL] < 95
    assert 15 < endings[Ending.DECLINED] < 50
    assert endings[Ending.FAILED] == 0


@given(seed=st.integers(), dial=st.integers(1, 5), ending=st.sampled_from(list(Ending)))
def test_durations_stay_within_their_bounds(seed: int, dial: int, ending: Ending) -> None:
    """Whoever picks up talks, whoever does not does not, and all within the set ranges."""
    people = always(ending)
    play, _ = people.play(seed, NUMBERS[0], dial)

    assert play.ending is ending
    assert 0 < play.ring_s <= people.no_answer_s[1]
    if ending in TALKED_TO:
        assert people.voicemail_s[0] <= play.talk_s <= people.talk_s[1]
    else:
        assert play.total_s == play.ring_s


@given(seed=st.integers(), pace=st.floats(0, 10), number=st.sampled_from(NUMBERS))
def test_calls_of_the_sandbox_are_short(seed: int, pace: float, number: str) -> None:
    """Each is over after 0.2 to 3 seconds, times the pace."""
    play, _ = sandbox_personality(pace).play(seed, number, 1)

    assert 0.2 * pace * 0.999 <= play.total_s <= 3.0 * pace * 1.001


def test_a_person_may_behave_differently_the_next_time() -> None:
    """The count of dials to a number is part of the lot."""
    people = Personality()
    endings = {people.play(7, NUMBERS[0], dial)[0].ending for dial in range(1, 40)}

    assert len(endings) > 1


@pytest.mark.parametrize(
    ("draw", "p50", "p99"),
    [
        (constant(0.2), 0.2, 0.2),
        (uniform(1.0, 3.0), 2.0, 2.98),
        (normal(1.0, 0.1), 1.0, 1.23),
        (lognormal(0.2, 1.2), 0.2, 1.2),
    ],
)
def test_latencies_have_the_shape_they_are_named_for(draw: Draw, p50: float, p99: float) -> None:
    """Median and 99th percentile of many draws are those that were asked for."""
    random = Random(7)
    drawn = [draw(random) for _ in range(20_000)]

    assert min(drawn) >= 0
    assert median(drawn) == pytest.approx(p50, rel=0.05)
    assert quantiles(drawn, n=100)[98] == pytest.approx(p99, rel=0.12)


def test_a_latency_is_never_negative() -> None:
    """A normal distribution is cut at zero."""
    random = Random(7)

    assert min(normal(0.1, 1.0)(random) for _ in range(1000)) == 0


def test_each_operation_may_have_a_latency_of_its_own() -> None:
    """Named operations take theirs, all others the service's."""
    latency = Latency(7, constant(0.1), operations={"dial": constant(0.9)})

    assert (latency.draw("dial"), latency.draw("follow")) == (0.9, 0.1)


def test_the_roster_gives_every_service_its_latencies() -> None:
    """A latency may be named for a service or for one operation of it."""
    roster = Roster(latencies={"llm": constant(0.9), "crm.health": constant(0.3)})
    twins = roster.twins(Ledger())

    def after_s(service: str, path: str) -> float:
        return twins[service].handle(TwinRequest.parse("GET", path, {}, b""), 0.0).after_s

    assert tuple(twins) == SERVICES
    assert after_s("llm", "/v1/models") == 0.9
    assert after_s("llm_fallback", "/v1/models") == 0
    assert after_s("crm", "/account-info/v3/details") == 0.3
    assert after_s("crm", "/crm/v3/objects/contacts/1") == 0
