"""What is wrong with a YAML file is told at once, with its line and the nearest known key."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.durations import Duration
from callagent_cli.errors import ScenarioError, SettingsError
from callagent_cli.settings import Settings
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.yaml_file import load_yaml, parse_yaml

FILE = Path("callagent.yaml")
RETRY = "services.elevenlabs.policy.retry"
DAYS = "one of `fri`, `mon`, `sat`, `sun`, `thu`, `tue`, `wed`"


def problems(text: str, type_: type[object] = Settings) -> list[str]:
    """Return the lines of what is wrong with a text, without the file's name."""
    with pytest.raises(SettingsError) as caught:
        parse_yaml(text, type_, path=FILE, error=SettingsError)
    assert caught.value.hint
    return [line.removeprefix("callagent.yaml:") for line in caught.value.message.splitlines()]


def test_a_problem_stays_on_its_line_whatever_the_file_holds() -> None:
    """A line end or an escape sequence of a key is shown as a person would write it."""
    (line,) = problems('"lanes\\r\\n\\e[2J\\u200b": 4')

    assert line.startswith("1: unknown key `lanes\\r\\n\\x1b[2J\\u200b`")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "services:\n  elevenlabs:\n    policy:\n      retry: {delays: 5}\n",
            [
                f"4: unknown key `{RETRY}.delays`; did you mean `delay_cap_s`?",
            ],
        ),
        ("lanes: four", ['1: `lanes` must be a whole number ≥ 1 and ≤ 1000, not "four"']),
        ("lanes: 0", ["1: `lanes` must be a whole number ≥ 1 and ≤ 1000, not 0"]),
        ("lanes: 2.5", ["1: `lanes` must be a whole number ≥ 1 and ≤ 1000, not 2.5"]),
        ("lanes: true", ["1: `lanes` must be a whole number ≥ 1 and ≤ 1000, not true"]),
        ("lanes:", ["1: `lanes` must be a whole number ≥ 1 and ≤ 1000, not empty"]),
        ("lanes: '3'", ['1: `lanes` must be a whole number ≥ 1 and ≤ 1000, not "3"']),
        ("lanes: {a: 1}", ["1: `lanes` must be a whole number ≥ 1 and ≤ 1000, not a mapping"]),
        ("lanes: [1]", ["1: `lanes` must be a whole number ≥ 1 and ≤ 1000, not a list"]),
        ("lanes: !!python/name:os.system 3", [
            "1: `lanes` must be a whole number ≥ 1 and ≤ 1000, not 3"
        ]),
        ("mode: lvie", [
            '1: `mode` must be one of `live`, `sandbox`, not "lvie"; did you mean `live`?'
        ]),
        ("requeue_after_outage: maybe", [
            '1: `requeue_after_outage` must be true or false, not "maybe"'
        ]),
        ("lanes: 1\nmode: live\nlanes: 2", ["3: `lanes` stands here again; see line 1"]),
        ("- 1", ["1: the file must be a mapping (mode, lanes, services, dialing …), not a list"]),
        ("text", ["1: the file must be a mapping (mode, lanes, services, dialing …), not a text"]),
        ("? {a: 1}\n: 2", ["1: a key of the file is not text"]),
        ("alerts:\n  telegram: {}", ["2: `alerts.telegram.chat_id` is missing: it must be text"]),
        ("logs_dir: ~", ["1: `logs_dir` must be text, not ~"]),
        ("dialing: {window: {opens: 8}}", [
            r"1: `dialing.window.opens` must be text that matches `^\d\d:\d\d$`, not 8"
        ]),
        ("dialing: {window: {days: [mon, tuesday]}}", [
            f'1: `dialing.window.days[1]` must be {DAYS}, not "tuesday"; did you mean `tue`?'
        ]),
        ("services: {elevenlabs: {follow_every_s: .inf}}", [
            "1: `services.elevenlabs.follow_every_s` must be a number > 0, not .inf"
        ]),
        ("state_dir: &here\n  - *here", ["1: `state_dir` must be text, not a list"]),
    ],
)  # fmt: skip
def test_each_problem_names_line_key_and_what_is_wanted(text: str, expected: list[str]) -> None:
    """The table of everything a person may get wrong."""
    assert problems(text) == expected


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a: [1", "2:1: not YAML"),
        ("a: b: c", "1:5: not YAML"),
        ("\t- a", "1:1: not YAML"),
        ("lanes: 1\n---\nlanes: 2", "2:1: not YAML"),
        ("lanes: *nobody", "1:8: not YAML"),
        ("lanes: \0", " not YAML"),
        ("[" * 5000, "1: nested more than"),
        ("", " the file is empty"),
        ("# nothing but a comment", " the file is empty"),
    ],
)
def test_what_is_not_yaml_is_told_with_line_and_column(text: str, start: str) -> None:
    """Broken YAML is one problem, where the parser met it."""
    (line,) = problems(text)

    assert line.startswith(start)


def test_all_problems_are_told_at_once_in_the_order_of_the_lines() -> None:
    """Nobody has to run the command once for each mistake."""
    found = problems("lanes: 0\nmod: live\nlogs_dir: [1]\nservices:\n  llm: {timeout: 3}\n")

    assert [line.split(":")[0] for line in found] == ["1", "2", "3", "5"]


def test_a_secret_where_a_mapping_belongs_is_not_repeated() -> None:
    """A key pasted into the file must not reach the screen by way of an error."""
    (line,) = problems("services: {elevenlabs: {api_key: sk_live_1234567890}}")

    assert "1234567890" not in line


def test_the_type_decides_what_a_scalar_is() -> None:
    """A closing time is no base-60 number, and a country is no boolean."""
    text = (
        "dialing: {window: {closes: 21:00}, region: NO}\nservices: {elevenlabs: {agent_id: 0012}}"
    )

    settings = parse_yaml(text, Settings, path=FILE, error=SettingsError).value

    assert settings.dialing.window is not None
    assert settings.dialing.window.closes == "21:00"
    assert settings.dialing.region == "NO"
    assert settings.services.elevenlabs.agent_id == "0012"


class Cat(msgspec.Struct, tag="cat", tag_field="kind", forbid_unknown_fields=True):
    """One member of a tagged union."""

    naps: Duration


class Dog(msgspec.Struct, tag="dog", tag_field="kind", forbid_unknown_fields=True):
    """The other one."""

    tricks: list[str] = []


class Home(msgspec.Struct, forbid_unknown_fields=True):
    """Holds unions, mappings and lists."""

    pets: dict[str, Cat | Dog] = {}
    wait: Duration | Literal["auto"] = "auto"
    until: int | None = None


def test_a_member_of_a_tagged_union_is_checked_by_its_tag() -> None:
    """Unknown keys are told for the member that the tag names."""
    text = "pets:\n  tom: {kind: cat, naps: 1h30m}\n  rex: {kind: dog, trick: [sit]}\n"

    (line,) = problems(text, Home)

    assert line == "3: unknown key `pets.rex.trick`; did you mean `tricks`?"


def test_unions_take_whichever_member_fits() -> None:
    """A duration, a word and nothing at all, each where it is allowed."""
    home = parse_yaml(
        "pets: {tom: {kind: cat, naps: 90s}}\nwait: 200ms\nuntil: null",
        Home,
        path=FILE,
        error=SettingsError,
    ).value

    assert Home(pets={"tom": Cat(naps=90.0)}, wait=0.2, until=None) == home


def test_aliases_that_multiply_are_refused() -> None:
    """A few lines that unfold to billions of values do not eat the memory."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    with pytest.raises(SettingsError, match="aliases"):
        parse_yaml("\n".join(lines), dict[str, Any], path=FILE, error=SettingsError)


def test_a_value_that_contains_itself_is_refused() -> None:
    """A recursive alias is a problem and no endless loop."""
    with pytest.raises(SettingsError, match="contains itself"):
        parse_yaml("a: &a {b: *a}", dict[str, Any], path=FILE, error=SettingsError)


def test_the_line_of_a_key_is_known_afterwards() -> None:
    """Later checks can name the line of what they do not like, or of the nearest key around it."""
    file = parse_yaml(
        "lanes: 2\nservices:\n  llm:\n    timeout_s: 3\n", Settings, path=FILE, error=SettingsError
    )

    assert file.line("services.llm.timeout_s") == 4
    assert file.line("services.llm.policy.retry") == 3
    assert file.line("sheet") == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [(b"\xff\xfe", "not UTF-8"), (b"lanes: 1\n" * 200_000, "larger than")],
)
def test_a_file_that_cannot_be_text_is_refused(tmp_path: Path, body: bytes, message: str) -> None:
    """Bytes that are no UTF-8, and files that are no settings by their size."""
    file = tmp_path / "file.yaml"
    file.write_bytes(body)

    with pytest.raises(SettingsError, match=message):
        load_yaml(file, Settings, error=SettingsError)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A missing file and a directory are usage errors with a hint."""
    for path in (tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(ScenarioError) as caught:
            load_yaml(path, Scenario, error=ScenarioError)
        assert str(path) in caught.value.message
        assert caught.value.hint


def test_what_may_have_no_end_is_not_read(tmp_path: Path) -> None:
    """A device gives bytes until memory ends, and a pipe may have nobody at its other end."""
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)

    for path in (Path("/dev/zero"), pipe):
        with pytest.raises(ScenarioError, match="is no regular file"):
            load_yaml(path, Scenario, error=ScenarioError)


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    file = tmp_path / "file.yaml"
    file.write_bytes(b"\xef\xbb\xbflanes: 3\r\n")

    assert load_yaml(file, Settings, error=SettingsError).value.lanes == 3


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    """Whatever the file holds, nothing but the caller's own error comes out."""
    with suppress(ScenarioError):
        parse_yaml(text, Scenario, path=FILE, error=ScenarioError)
