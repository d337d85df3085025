"""A scenario that cannot mean what it says is refused before it runs, with line and reason."""

from pathlib import Path

import pytest

from callagent_cli.errors import ScenarioError
from callagent_cli.simulation.scenario.loader import (
    LoadedScenario,
    check_seed,
    find_scenario,
    parse_scenario,
    settings_of,
)

HEAD = """\
callagent: scenario/v1
name: example
title: An example
campaign: {contacts: 5, lanes: 2}
until: {at_most: 1h}
"""
OUTAGE = HEAD + "timeline:\n  - {name: outage, at: 1m, for: 3m, target: llm, fault: {hang: true}}\n"


def parse(text: str) -> LoadedScenario:
    """Read a scenario as if from `example.yaml`."""
    return parse_scenario(text, Path("example.yaml"))


def bounded(bounds: str) -> str:
    """Return a scenario that expects a number of an event within these bounds."""
    where = f"{{dials: {bounds}}}"
    return f"{HEAD}expect: {{log: [{{event: call_changed, where: {where}}}]}}\n"


def phase(keys: str) -> str:
    """Return a scenario whose timeline has one phase with these keys."""
    return f"{HEAD}timeline:\n  - {{name: p, at: 10s, {keys}}}\n"


def fault(keys: str) -> str:
    """Return a scenario whose one fault has these keys."""
    return phase(f"target: elevenlabs.dial, fault: {{{keys}}}")


def never(keys: str) -> str:
    """Return a scenario in which an event with these keys must not be seen."""
    return f"{HEAD}expect: {{never: [{{event: {keys}}}]}}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (phase("target: llm, fault: {stauts: 503}"), "7: unknown key `timeline[0].fault.stauts`"),
        (phase("target: llm, fault: {}"), "7: `fault` of phase `p` names no kind of fault"),
        (fault("hang: true, dns: true"), "7: `fault` of phase `p` names `hang` and `dns`"),
        (fault("hang: true, retry_after: 3s"), "`retry_after` of phase `p` only goes with"),
        (fault("status: 429, applied: 0.5"), "`applied` of phase `p` cannot go with `429`"),
        (fault("status: 404, applied: 1"), "such an answer says that nothing was done"),
        (fault("status: 200, applied: 1"), "only an error can hide work that was done"),
        (fault("rate_limit: {rps: 1}, applied: 1"), "cannot go with `rate_limit`"),
        (fault("quota: {limit: 3}, applied: 1"), "cannot go with `quota`"),
        (fault("refuse: true, applied: 1"), "the request never reaches the provider"),
        (fault("latency: 3s, applied: 1"), "the provider always does the work"),
        (fault("latency: {uniform: [5s, 1s]}"), "the first bound of `uniform` is larger"),
        (fault("latency: {lognormal: {p50: 2s, p99: 1s}}"), "`p99` is smaller than `p50`"),
        (fault("latency: {}"), "must be exactly one of uniform, normal, lognormal"),
        (fault("latency: {uniform: [1s]}"), "must have 2 items, not 1"),
        (fault("status: 150"), "must be a whole number ≥ 200 and ≤ 599, not 150"),
        (fault("quota: {limit: 1, status: 204}"), "must be a whole number ≥ 400 and ≤ 599"),
        (fault("rate_limit: {rps: 1, status: 100}"), "must be a whole number ≥ 400 and ≤ 599"),
        (fault("status: 204, body: {a: 1}"), "`body` of phase `p` cannot go with 204"),
        (fault("status: 503, headers: {bad header: x}"), "name `bad header`, which no header"),
        (fault("status: 503, headers: {Content-Length: '3'}"), "`Content-Length`: it is set to"),
        (fault("status: 503, headers: {content-encoding: gzip}"), "`content-encoding`: it is set"),
        (fault('status: 503, headers: {x: "a\\nb"}'), "give `x` a value that no header can have"),
        (fault("status: 503, applied: 2"), "must be a number ≥ 0 and ≤ 1, not 2"),
        (phase("for: 0s, target: llm, fault: {hang: true}"), "that is more than 0s, not"),
        (phase("until: 5s, target: llm, fault: {hang: true}"), "ends (5s) before it starts (10s)"),
        (phase("for: 1s, until: 20s, target: llm, fault: {hang: true}"), "has both `for` and"),
        (phase("target: lmm, fault: {hang: true}"), "`lmm`; did you mean `llm`?"),
        (phase("target: llm.dial, fault: {hang: true}"), "no service or operation `llm.dial`"),
        (phase("fault: {hang: true}"), "phase `p` needs a `target`"),
        (phase("target: llm"), "phase `p` needs a `fault` or a `do`"),
        (phase("target: llm, do: kill"), "`target` does not go with `do: kill`"),
        (phase("do: kil"), 'not "kil"; did you mean `kill`?'),
        (phase("do: clock_step"), "phase `p` needs `by`"),
        (phase("do: kill, by: 1h"), "`by` does not go with `do: kill`"),
        (phase("do: clock_step, by: 1h, restart_after: 1s"), "does not go with `do: clock_step`"),
        (phase("target: llm, fault: {hang: true}, probability: 0"), "must be a number > 0"),
        (HEAD.replace("1h", "5s") + "timeline: [{name: p, at: 6s, do: stop}]", "never happens"),
        (OUTAGE + "  - {name: outage, at: 2m, do: stop}\n", "two phases called `outage`"),
        (HEAD.replace("name: example", "name: other"), "2: `name` is `other`, but the file is"),
        (HEAD + "seed: -1", "`seed` must be a whole number ≥ 0"),
        (HEAD + f"seed: {2**63}", "`seed` must be a whole number"),
        (HEAD + "settings: {mode: live}", "must be `sandbox`: a simulation calls nobody"),
        (HEAD + "settings: {lanes: 3}", "set `campaign.lanes`"),
        (HEAD + "settings: {dialing: {max_dails: 1}}", "did you mean `max_dials`?"),
        (HEAD + "services: {llm: {operations: {composse: 1s}}}", "did you mean `compose`?"),
        (HEAD + "people: {answered: 0}", "all weights of `people` are 0"),
        (phase("do: clock_step, by: 1000000000000000"), "`1m30s` from -87600h to 87600h, not"),
        (
            HEAD + 'settings: {dialing: {window: {opens: "10:00", closes: "09:00"}}}',
            "6: `settings.dialing.window` is never open: it closes at 09:00",
        ),
        (
            HEAD + 'settings: {services: {crm: {base_url: "http://[::1"}}}',
            "6: `settings.services.crm.base_url` is no web address",
        ),
        (HEAD + "people: {refused_ring: [5s, 1s]}", "`people.refused_ring`: the first bound is"),
        (HEAD + "people: {talk: [9s, 1s]}", "the first bound is larger than the second"),
        (HEAD + "expect: {always: [nobody_dialled_twice]}", "did you mean `nobody_dialed_twice`?"),
        (HEAD + "expect: {always: [finished], breaks: [finished]}", "under `always` and under"),
        (HEAD + "expect: {outcome: {done: 4, failed: 2}}", "adds up to 6, but contacts are 5"),
        (HEAD + "expect: {outcome: {done: {}}}", "needs `at_least` or `at_most`"),
        (bounded("{}"), "needs `at_least` or `at_most`"),
        (bounded("{at_least: 3, at_most: 2}"), "larger than `at_most`"),
        (bounded("{least: 3}"), "takes a value, or `at_least` and `at_most`"),
        (HEAD + "expect: {outcome: {done: {at_least: 3, at_most: 2}}}", "larger than `at_most`"),
        (HEAD + "expect: {log: [{event: breaker_change}]}", "did you mean `breaker_changed`?"),
        (
            HEAD + "expect: {log: [{event: alert_raised, where: {servce: llm}}]}",
            "`alert_raised` has no field `servce`; did you mean `service`?",
        ),
        (never("breaker_changed, where: {service: elevenlab}"), "did you mean `elevenlabs`?"),
        (never("breaker_changed, where: {new: opend}"), "did you mean `open`?"),
        (never("call_changed, where: {new: failled}"), "did you mean `failed`?"),
        (never("call_changed, where: {waits_for: crn}"), "did you mean `crm`?"),
        (never("alert_raised, where: {kind: over}"), "known: call_failed, opened, resolved, upd"),
        (never("alert_raised, where: {service: elevenlab}"), "did you mean `elevenlabs`?"),
        (never("step_started, where: {step: lookup}"), "did you mean `look_up`?"),
        (never("attempt_finished, where: {outcome: time_out}"), "did you mean `timeout`?"),
        (never("attempt_finished, where: {operation: llm.dial}"), 'is never "llm.dial"'),
        (never("breaker_changed, where: {owner: kuota}"), "did you mean `quota`?"),
        (never("run_ended, where: {exit_code: yes}"), "is a whole number, never true"),
        (never("run_ended, where: {exit_code: none}"), 'is a whole number, never "none"'),
        (never("dial_looked_up, where: {found: 1}"), "is true or false, never 1"),
        (HEAD + "expect: {log: [{event: alert_raised, of: outage}]}", "must be a phase's `.start`"),
        (
            OUTAGE + "expect: {log: [{event: alert_raised, of: outag.end, within: 1s}]}",
            "there is no phase `outag`; did you mean `outage`?",
        ),
        (
            OUTAGE.replace("for: 3m, ", "")
            + "expect: {log: [{event: alert_raised, of: outage.end, within: 1s}]}",
            "phase `outage` never ends",
        ),
        (HEAD + "expect: {log: [{event: alert_raised, sleeps: [5s]}]}", "retry_scheduled` only"),
        (HEAD + "expect: {never: [{event: alert_raised, times: 1}]}", "takes neither `times`"),
        (HEAD + "expect: {wire: [{target: crn, requests: 0}]}", "did you mean `crm`?"),
        (HEAD + "expect: {wire: [{target: crm, requests: 0, during: x}]}", "no phase `x`"),
        (HEAD + "expect: {reached: [{phase: x}]}", "there is no phase `x`"),
        (
            OUTAGE + "expect: {reached: [{phase: outage, target: crm}]}",
            "phase `outage` never strikes `crm`",
        ),
        (
            HEAD + "timeline: [{name: p, at: 6s, do: stop}]\nexpect: {reached: [{phase: p}]}",
            "phase `p` has no fault that could be reached",
        ),
        (HEAD.replace("v1", "v2"), "must be `scenario/v1`"),
        (HEAD.replace("contacts: 5, ", ""), "`campaign.contacts` is missing"),
    ],
)
def test_nonsense_is_refused_with_its_reason(text: str, message: str) -> None:
    """The table of scenarios that cannot mean what they say."""
    with pytest.raises(ScenarioError) as caught:
        parse(text)

    assert message in caught.value.message
    assert caught.value.message.startswith("example.yaml:")


@pytest.mark.parametrize(
    "keys",
    [
        "status: 204",
        "status: 503, headers: {X-Request-Id: 'a b', etag: ''}",
        "status: 304, body: ''",
    ],
)
def test_an_answer_that_a_server_can_send_is_taken(keys: str) -> None:
    """Headers of any other name, and no body where none can be."""
    assert parse(fault(keys)).scenario.timeline


@pytest.mark.parametrize(
    "keys",
    [
        "breaker_changed, where: {service: 'eleven*', new: '[oi]*'}",
        "attempt_finished, where: {http_status: 503, outcome: unavailable, trial: true}",
        "attempt_finished, where: {http_status: '5*', duration_s: 1}",
        "attempt_finished, where: {http_status: null, operation: ''}",
        "alert_raised, where: {service: worker, title: nothing}",
    ],
)
def test_a_value_that_an_event_can_have_is_taken(keys: str) -> None:
    """Globs, words of the field, numbers, and nothing where nothing can stand."""
    assert parse(never(keys)).scenario.expect.never


def test_all_problems_are_told_at_once_with_their_lines() -> None:
    """The checks beyond the types also go through the whole file."""
    text = (
        HEAD
        + "timeline:\n"
        + "  - {name: a, at: 2m, until: 1m, target: llm, fault: {hang: true}}\n"
        + "  - {name: b, at: 2m, target: llmm, fault: {hang: true}}\n"
        + "expect:\n"
        + "  wire:\n"
        + "    - {target: crm, during: c, requests: 0}\n"
    )

    with pytest.raises(ScenarioError) as caught:
        parse(text)

    lines = [line.split(":")[1] for line in caught.value.message.splitlines()]
    assert lines == ["7", "8", "11"]


def test_settings_of_a_scenario_are_overridden_by_a_policy() -> None:
    """What-if: the same world under other settings; lanes come from the campaign."""
    loaded = parse(HEAD + "settings: {services: {llm: {timeout_s: 5, max_tokens: 9}}}\n")

    plain = settings_of(loaded)
    other = settings_of(loaded, {"services": {"llm": {"timeout_s": 7}}, "mode": "live"})

    assert (plain.lanes, plain.services.llm.timeout_s, plain.services.llm.max_tokens) == (2, 5, 9)
    assert (other.services.llm.timeout_s, other.services.llm.max_tokens) == (7, 9)
    assert other.mode == "sandbox"


def test_a_misspelt_name_gets_the_nearest_one() -> None:
    """`simulate elevenlabs-530` says what was meant."""
    with pytest.raises(ScenarioError, match="did you mean `elevenlabs-503`"):
        find_scenario("elevenlabs-530")


def test_a_path_is_taken_as_it_is() -> None:
    """A file need not be in the library."""
    assert Path("mine/outage.yaml") == find_scenario("mine/outage.yaml")


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    """Seeds from the command line are checked as those of the file."""
    with pytest.raises(ScenarioError, match="out of range"):
        check_seed(seed)
