"""Why a world could not finish in its time: where the scenario, not the worker, is the reason."""

from collections.abc import Iterator
from typing import Final

from callagent_cli.calls.model import CallState
from callagent_cli.calls.windows import opens_in_s
from callagent_cli.counting import counted
from callagent_cli.durations import duration_text
from callagent_cli.services.retry_after import retry_after_s
from callagent_cli.settings import Redial
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.scenario.format import Fault, People, Phase, Scenario

_ASKED_MAX_S: Final = 24 * 3600.0
"""No wait that a service asks for is longer than a day."""


def unending(evidence: Evidence) -> str:
    """Return what in the scenario kept its world from finishing, or an empty text."""
    return ", and ".join(_reasons(evidence))


def _reasons(evidence: Evidence) -> Iterator[str]:
    scenario = evidence.scenario
    at_most_s = scenario.until.at_most
    if not _is_room(scenario, at_most_s):
        calls = counted(scenario.campaign.contacts, "call")
        lanes = counted(scenario.campaign.lanes, "lane")
        call, bound = duration_text(_shortest_call_s(scenario.people)), duration_text(at_most_s)
        yield f"{calls} of {call} on {lanes} do not fit into {bound}"
    names = [
        f"`{phase.name}`"
        for phase in scenario.timeline
        if (until_s := _lasts_until_s(phase, evidence.start_utc_s)) >= at_most_s
        or not _is_room(scenario, phase.at, at_most_s - until_s)
    ]
    if names and _is_room(scenario, at_most_s):
        yield f"nothing can finish under {' and '.join(names)}"
    if evidence.totals.get(CallState.SCHEDULED.value, 0) > 0:
        yield from _late_dials(evidence)


def _late_dials(evidence: Evidence) -> Iterator[str]:
    """Yield why some who are to be dialed later cannot be dialed before the world ends."""
    scenario, dialing = evidence.scenario, evidence.settings.dialing
    at_most_s = scenario.until.at_most
    end_utc_s = evidence.start_utc_s + at_most_s
    if dialing.window is not None and opens_in_s(dialing.window, "", end_utc_s) > 0:
        yield "the calling window is closed when the world ends"
    apart_s = _longest_redial_s(scenario.people, dialing.redial)
    if apart_s * (dialing.max_dials - 1) >= at_most_s:
        dials, apart = counted(dialing.max_dials, "dial"), duration_text(apart_s)
        yield f"{dials} of a person {apart} apart do not fit into {duration_text(at_most_s)}"


def _longest_redial_s(people: People, redial: Redial) -> float:
    """Return how long it takes at most until someone who was not reached is dialed again."""
    waits_min = (
        (people.no_answer, redial.no_answer_min),
        (people.busy, redial.busy_min),
        (people.voicemail, redial.voicemail_min),
        (people.declined, redial.declined_min),
    )
    return max((60 * (wait_min or 0.0) for weight, wait_min in waits_min if weight), default=0.0)


def _lasts_until_s(phase: Phase, start_utc_s: float) -> float:
    """Return the second of the world before which a phase may keep calls from going on."""
    if phase.do is not None:
        return phase.at + (phase.restart_after or 0.0)
    asked_s = 0.0 if phase.fault is None else _asked_s(phase.fault, start_utc_s + phase.ends_at)
    return phase.ends_at + min(asked_s, _ASKED_MAX_S)


def _asked_s(fault: Fault, now_utc_s: float) -> float:
    """Return for how long a fault may ask to be left alone with its last answer."""
    limit = fault.rate_limit
    if limit is not None:
        told = 1 / limit.rps if limit.retry_after == "auto" else limit.retry_after
        return told if isinstance(told, (int, float)) else 0.0
    headers = {name.lower(): value for name, value in fault.headers.items()}
    return max(fault.retry_after or 0.0, retry_after_s(headers, now_utc_s) or 0.0)


def _is_room(scenario: Scenario, *spans_s: float) -> bool:
    """Whether all calls can be made in some spans of time, in which nothing goes wrong."""
    call_s = _shortest_call_s(scenario.people)
    if not call_s:
        return True
    rounds = sum(span_s // call_s for span_s in spans_s)
    return rounds * scenario.campaign.lanes >= scenario.campaign.contacts


def _shortest_call_s(people: People) -> float:
    ring_s, processing_s = _least(people.ring), _least(people.processing)
    refused_s = _least(people.refused_ring)
    lasts_s = (
        (people.answered, ring_s + _least(people.talk) + processing_s),
        (people.voicemail, ring_s + _least(people.voicemail_talk) + processing_s),
        (people.no_answer, _least(people.no_answer_ring)),
        (people.busy, refused_s),
        (people.declined, refused_s),
        (people.failed, 0.0),
    )
    return min((seconds for weight, seconds in lasts_s if weight), default=0.0)


def _least(seconds: float | list[float]) -> float:
    return min(seconds) if isinstance(seconds, list) else seconds
