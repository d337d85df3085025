"""The isolated breaker: who set it, and which act lifts it."""

import pytest
from resilience_doubles import Bench

from callagent_cli.resilience.breaker import Owner

OWNERS: tuple[Owner, ...] = ("operator", "unauthorized", "quota", "misconfigured")


@pytest.mark.parametrize("owner", OWNERS)
def test_it_refuses_everything_and_says_for_whom(owner: Owner) -> None:
    """Each owner stops all traffic and leaves a reason."""
    bench = Bench().isolated(owner)

    error = bench.refused()

    assert (error.state, error.reason) == ("isolated", "a reason")
    assert (bench.changes[-1].new, bench.changes[-1].owner) == ("isolated", owner)


@pytest.mark.parametrize("owner", ["operator", "unauthorized", "misconfigured"])
def test_time_and_health_do_not_lift_it(owner: Owner) -> None:
    """Days of healthy checks change nothing about a key, a setting or a person's word."""
    bench = Bench().isolated(owner)

    for _ in range(1_000):
        bench.clock.advance(600)
        bench.breaker.observe_health("healthy", idle=lambda: True)

    bench.refused()
    assert bench.breaker.next_change_s() == float("inf")
    assert bench.breaker.quiet_until_s == float("inf")


@pytest.mark.parametrize("owner", OWNERS)
def test_a_reset_lifts_every_isolation(owner: Owner) -> None:
    """A person may close it at once, whoever isolated it."""
    bench = Bench().isolated(owner)

    bench.breaker.reset("reset by ann")

    assert (bench.state, bench.breaker.owner) == ("closed", "")
    assert not bench.breaker.admit().trial


@pytest.mark.parametrize("owner", ["unauthorized", "quota", "misconfigured"])
def test_a_changed_credential_gets_a_trial(owner: Owner) -> None:
    """What was isolated for key or account may be tried once those changed."""
    bench = Bench().isolated(owner)

    bench.breaker.credential_changed()

    assert bench.breaker.admit().trial
    assert bench.breaker.reason == "the credential changed"


def test_a_changed_credential_does_not_lift_what_a_person_set() -> None:
    """Only a reset undoes a trip by hand."""
    bench = Bench().isolated("operator")

    bench.breaker.credential_changed()

    assert bench.state == "isolated"


@pytest.mark.parametrize("prepare", ["closed", "open"])
def test_a_changed_credential_means_nothing_to_the_other_states(prepare: str) -> None:
    """A closed breaker stays closed, an open one waits on."""
    bench = Bench() if prepare == "closed" else Bench().open()

    bench.breaker.credential_changed()

    assert bench.state == prepare


def test_the_first_cause_keeps_it() -> None:
    """A wrong key stays the reason when the quota turns out to be used up as well."""
    bench = Bench().isolated("unauthorized")

    bench.breaker.isolate("quota", "402")

    assert (bench.breaker.owner, bench.breaker.reason) == ("unauthorized", "a reason")
    assert len(bench.changes) == 1


def test_a_person_takes_it_over() -> None:
    """A trip by hand outranks what the service's answers said."""
    bench = Bench().isolated("quota")

    bench.breaker.isolate("operator", "tripped by ann")

    assert (bench.breaker.owner, bench.breaker.reason) == ("operator", "tripped by ann")
    bench.clock.advance(10_000)
    bench.refused()


def test_an_open_time_that_ran_before_says_nothing_any_more() -> None:
    """An isolation has no end that could be counted down to."""
    bench = Bench().open()
    bench.breaker.isolate("operator", "tripped by ann")

    assert bench.breaker.retry_after_s == 0.0
    assert bench.refused().retry_after_s == 0.0


def test_a_service_without_credit_is_tried_after_5_10_20_and_every_30_minutes() -> None:
    """The timetable of trials, while each of them finds no credit."""
    bench = Bench().isolated("quota")
    waits_s = []

    for _ in range(6):
        waits_s.append(bench.breaker.next_change_s() - bench.clock.now_s)
        bench.clock.advance(waits_s[-1] - 0.1)
        bench.refused()
        bench.clock.advance(0.1)
        bench.breaker.isolate("quota", "402", permit=bench.breaker.admit())

    assert waits_s == pytest.approx([300, 600, 1200, 1800, 1800, 1800])
    assert bench.breaker.quota_rounds == 7
    assert bench.changes[0].open_s == 300.0


def test_a_refusal_without_credit_names_the_next_trial() -> None:
    """The wait to be expected is that of the timetable."""
    bench = Bench().isolated("quota")
    bench.clock.advance(100)

    assert bench.refused().retry_after_s == pytest.approx(200.0)


def test_healthy_checks_prove_nothing_about_credit() -> None:
    """Neither do they bring the trial forward nor close an idle breaker in its stead."""
    bench = Bench().isolated("quota")

    bench.clock.advance(299)
    bench.breaker.observe_health("healthy", idle=lambda: True)
    assert bench.state == "isolated"
    bench.clock.advance(1)
    assert bench.breaker.poll()
    for _ in range(5):
        bench.breaker.observe_health("healthy", idle=lambda: True)

    assert bench.state == "half_open"


def test_only_what_met_the_missing_credit_closes_it_again() -> None:
    """Following works without credit; dialing has to be proven."""
    bench = Bench()
    bench.breaker.isolate("quota", "402", operation="voice.dial")
    bench.clock.advance(300)

    bench.succeed(5, "voice.follow")
    assert bench.state == "half_open"
    bench.succeed(2, "voice.dial")

    assert bench.state == "closed"
    assert bench.breaker.quota_rounds == 0


def test_a_trial_that_finds_the_service_down_leaves_the_timetable() -> None:
    """A 503 instead of a 402 makes it an outage like any other."""
    bench = Bench().isolated("quota")
    bench.clock.advance(300)

    bench.fail()

    assert (bench.state, bench.breaker.owner) == ("open", "")
    assert bench.breaker.retry_after_s == pytest.approx(60.0)
