"""Pretended people who want no more calls: what an operator rehearses before a real one says so."""

import json
from pathlib import Path

import pytest
from contact_commands import INSTANT, Desk, exported
from contact_files import ANN, BOB, EVE
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.events import Stamped, StepFinished
from callagent_cli.services.conversations import read_conversation
from callagent_cli.simulation.scenario.loader import load_scenario
from callagent_cli.simulation.twins.elevenlabs.conversation import Conversation
from callagent_cli.simulation.twins.personality import Ending, Personality
from callagent_cli.simulation.worlds.world import World
from callagent_cli.worker.steps.opt_outs import opt_out_of

FIELD = "do_not_call"


def _run(desk: Desk, text: str, name: str) -> dict[str, tuple[str, str]]:
    desk.write(text, f"{name}.csv")
    assert desk.say("run", f"{name}.csv", "--headless").code == 0
    rows = exported(desk.say("export", "--campaign", name).out)
    return {row["number"].lstrip("'"): (row["state"], row["opted_out"]) for row in rows}


def test_whoever_opts_out_in_the_sandbox_is_suppressed_across_campaigns(desk: Desk) -> None:
    """The opt-out is heard, stored for the sandbox alone, and kept by the next campaign."""
    settings = {**INSTANT, "sandbox": {"pace": 0, "opts_out": 1.0}}
    desk.write(json.dumps(settings), "callagent.yaml")

    first = _run(desk, f"phone\n{ANN}\n{BOB}\n", "one")
    listed = desk.say("contacts", "suppressed", "--json").document["suppressions"]
    second = _run(desk, f"phone\n{ANN}\n{BOB}\n{EVE}\n", "two")

    answered = {number for number, (_, opted_out) in first.items() if opted_out == "true"}
    assert answered
    assert {each["number"] for each in listed} == {f"…{number[-3:]}" for number in answered}
    assert {(each["scope"], each["opted_out"]) for each in listed} == {("mode:sandbox", True)}
    assert {number for number, (state, _) in second.items() if state == "excluded"} == answered


def test_the_field_is_the_one_that_the_settings_name(desk: Desk) -> None:
    """The pretended agent collects what the real one is configured to collect."""
    settings = {
        **INSTANT,
        "sandbox": {"pace": 0, "opts_out": 1.0},
        "services": {"elevenlabs": {"opt_out_field": "stop"}},
    }
    desk.write(json.dumps(settings), "callagent.yaml")

    assert "true" in {
        opted_out for _, opted_out in _run(desk, f"phone\n{ANN}\n{BOB}\n", "c").values()
    }


def test_nobody_opts_out_unless_asked_for(desk: Desk) -> None:
    """A sandbox that nobody told so has people who may be called again."""
    desk.write(json.dumps(INSTANT), "callagent.yaml")

    _run(desk, f"phone\n{ANN}\n{BOB}\n{EVE}\n", "c")

    assert desk.say("contacts", "suppressed", "--json").document["count"] == 0


def test_a_scenario_has_people_who_opt_out(tmp_path: Path) -> None:
    """As many as its share says, and their calls end as such."""
    path = tmp_path / "small.yaml"
    path.write_text(
        "callagent: scenario/v1\nname: small\ntitle: Few people\n"
        "campaign: {contacts: 40, lanes: 4}\npeople: {opts_out: 0.5}\nuntil: {at_most: 12h}\n",
        encoding="utf-8",
    )
    reasons: list[str] = []

    def listen(_at_s: float, stamped: Stamped) -> None:
        event = stamped.event
        if isinstance(event, StepFinished) and event.step == "follow":
            reasons.append(event.detail)

    evidence = World(load_scenario(path).scenario, 7, follow=listen).run()

    assert evidence.totals == {"done": 40}
    assert 10 <= sum(reason == "opted out on a call" for reason in reasons) <= 30


@given(seed=st.integers(0, 1 << 32), share=st.floats(0.01, 1), dial=st.integers(1, 3))
def test_a_share_of_opt_outs_changes_nothing_else_of_a_call(
    seed: int, share: float, dial: int
) -> None:
    """The same seed gives the same endings, times and ids with and without it."""
    plain, lots = Personality().play(seed, ANN, dial)
    asked, others = Personality(opts_out=share).play(seed, ANN, dial)

    assert (plain.ending, plain.ring_s, plain.talk_s) == (asked.ending, asked.ring_s, asked.talk_s)
    assert lots.random() == others.random()
    assert plain.opts_out is None
    assert (asked.opts_out is None) == (asked.ending is not Ending.ANSWERED)


@given(seed=st.integers(0, 1 << 32))
def test_a_person_thinks_the_same_at_every_dial(seed: int) -> None:
    """Who wants no calls wants none tomorrow either."""
    people = Personality(weights={Ending.ANSWERED: 1.0}, opts_out=0.5)
    said = {people.play(seed, ANN, dial)[0].opts_out for dial in range(1, 5)}

    assert len(said) == 1


@pytest.mark.parametrize(("opts_out", "heard"), [(True, True), (False, False), (None, False)])
def test_what_the_twin_says_is_what_the_adapter_hears(
    *, opts_out: bool | None, heard: bool
) -> None:
    """In the form in which the platform reports what an agent collected."""
    play, _ = Personality(weights={Ending.ANSWERED: 1.0}).play(7, ANN, 1)
    talk = Conversation(
        id="conv_1",
        carrier="twilio",
        agent_id="agent_1",
        phone_number_id="phnum_1",
        number=ANN,
        call_sid="CA1",
        user_id="call_1",
        variables={},
        placed_at=0.0,
        play=play.__class__(
            ending=play.ending,
            ring_s=play.ring_s,
            talk_s=play.talk_s,
            processing_s=play.processing_s,
            opts_out=opts_out,
        ),
        opt_out_field=FIELD,
    )
    shown = read_conversation(json.dumps(talk.shown(1e6)).encode())

    assert shown is not None
    assert bool(opt_out_of(shown.data_collection, FIELD)) is heard
