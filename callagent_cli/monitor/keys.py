"""Every key of the screen: bindings, key bar, help and palette are made from this one table."""

from dataclasses import dataclass
from typing import Final

from textual.binding import Binding

from callagent_cli.monitor.ports import CommandName


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One thing a key does.

    `keys` are Textual's names, `shown` how the key is printed; `label` stands in the key bar
    (empty: only in help), `does` explains it; `command` is what it asks of the worker, so that a
    refusal can be shown; `rehearsal` marks keys that need a rehearsal being watched.
    """

    action: str
    keys: str
    shown: str
    group: str
    does: str
    label: str = ""
    command: CommandName | None = None
    rehearsal: bool = False


KEYS: Final = (
    Key(
        action="toggle_pause",
        keys="p",
        shown="p",
        group="Run",
        does="pause or resume dialing; calls in flight finish",
        label="Pause",
        command="pause",
    ),
    Key(
        action="drain",
        keys="s",
        shown="s",
        group="Run",
        does="drain: finish the calls in flight, begin nothing, end",
        label="Drain",
        command="drain",
    ),
    Key(
        action="lanes(1)",
        keys="plus,equals_sign",
        shown="+",
        group="Run",
        does="one lane more",
        command="lanes",
    ),
    Key(
        action="lanes(-1)",
        keys="minus",
        shown="-",
        group="Run",
        does="one lane fewer",
        command="lanes",
    ),
    Key(
        action="trip",
        keys="t",
        shown="t",
        group="Breaker",
        does="trip the selected breaker: isolate its service",
        label="Trip",
        command="trip",
    ),
    Key(
        action="reset",
        keys="r",
        shown="r",
        group="Breaker",
        does="reset the selected breaker: close it",
        label="Reset",
        command="reset",
    ),
    Key(
        action="check",
        keys="h",
        shown="h",
        group="Breaker",
        does="check the selected service's health now",
        label="Check",
        command="check",
    ),
    Key(
        action="requeue",
        keys="u",
        shown="u",
        group="Breaker",
        does="requeue the calls that the selected service made fail",
        label="Requeue",
        command="requeue",
    ),
    Key(
        action="acknowledge",
        keys="a",
        shown="a",
        group="Alerts",
        does="acknowledge the selected alert",
        label="Ack",
        command="acknowledge",
    ),
    Key(
        action="acknowledge_all",
        keys="A,shift+a",
        shown="A",
        group="Alerts",
        does="acknowledge all alerts",
        command="acknowledge",
    ),
    Key(
        action="mute",
        keys="m",
        shown="m",
        group="Alerts",
        does="mute the selected service's alerts for 10 minutes",
        label="Mute",
        command="mute",
    ),
    Key(
        action="filter",
        keys="slash",
        shown="/",
        group="View",
        does="filter all rows; !text inverts, esc clears",
        label="Filter",
    ),
    Key(
        action="details",
        keys="d,enter",
        shown="d",
        group="View",
        does="details of the selected row",
        label="Details",
    ),
    Key(
        action="zoom",
        keys="z",
        shown="z",
        group="View",
        does="zoom the focused panel",
        label="Zoom",
    ),
    Key(
        action="freeze",
        keys="space",
        shown="space",
        group="View",
        does="freeze the screen; in a rehearsal, hold time",
        label="Freeze",
    ),
    Key(
        action="copy",
        keys="y",
        shown="y",
        group="View",
        does="copy the selected row, with its error and request id",
    ),
    Key(action="light", keys="L,shift+l", shown="L", group="View", does="light or dark"),
    Key(
        action="step_back",
        keys="escape",
        shown="esc",
        group="View",
        does="step back: clear the filter, leave zoom",
    ),
    Key(
        action="step",
        keys="full_stop",
        shown=".",
        group="Rehearsal",
        does="let one simulated second pass",
        label="Step",
        rehearsal=True,
    ),
    Key(
        action="speed(0.5)",
        keys="less_than_sign",
        shown="<",
        group="Rehearsal",
        does="half as fast",
        label="Slower",
        rehearsal=True,
    ),
    Key(
        action="speed(2)",
        keys="greater_than_sign",
        shown=">",
        group="Rehearsal",
        does="twice as fast",
        label="Faster",
        rehearsal=True,
    ),
    Key(
        action="panel(1)",
        keys="1",
        shown="1",
        group="Move",
        does="services",
    ),
    Key(action="panel(2)", keys="2", shown="2", group="Move", does="retries"),
    Key(action="panel(3)", keys="3", shown="3", group="Move", does="calls in flight"),
    Key(action="panel(4)", keys="4", shown="4", group="Move", does="alerts"),
    Key(action="panel(5)", keys="5", shown="5", group="Move", does="who waits for what"),
    Key(action="panel(6)", keys="6", shown="6", group="Move", does="latest events"),
    Key(action="next_panel", keys="tab", shown="tab", group="Move", does="next panel"),
    Key(
        action="previous_panel",
        keys="shift+tab",
        shown="shift+tab",
        group="Move",
        does="previous panel",
    ),
    Key(action="move(-1)", keys="up,k", shown="up k", group="Move", does="one row up"),
    Key(action="move(1)", keys="down,j", shown="down j", group="Move", does="one row down"),
    Key(action="move(-10)", keys="pageup", shown="pgup", group="Move", does="ten rows up"),
    Key(action="move(10)", keys="pagedown", shown="pgdn", group="Move", does="ten rows down"),
    Key(action="move(-100000)", keys="home,g", shown="home g", group="Move", does="first row"),
    Key(action="move(100000)", keys="end,G,shift+g", shown="end G", group="Move", does="last row"),
    Key(
        action="help",
        keys="question_mark",
        shown="?",
        group="Help",
        does="every key, searchable",
        label="Help",
    ),
    Key(
        action="command_palette",
        keys="ctrl+p",
        shown="ctrl+p",
        group="Help",
        does="every command by name",
    ),
    Key(
        action="leave",
        keys="q",
        shown="q",
        group="Leave",
        does="quit: drain, or stop now; esc stays",
        label="Quit",
    ),
    Key(
        action="explain_interrupt",
        keys="ctrl+c",
        shown="ctrl+c",
        group="Leave",
        does="says how to leave",
    ),
)

BAR: Final = tuple(key for key in KEYS if key.label and not key.rehearsal)
"""The keys the key bar shows beside a worker, in order; the bar drops what does not fit."""

REHEARSAL_BAR: Final = tuple(
    key
    for key in sorted(KEYS, key=lambda key: not (key.rehearsal or key.action == "freeze"))
    if key.label and key.command is None
)
"""The keys it shows in a rehearsal: those of time first, and none that asks a worker."""


def bindings() -> list[Binding]:
    """Return the table as Textual bindings; each has an id, so that users can remap it."""
    return [
        Binding(
            key.keys,
            key.action,
            key.does,
            id=f"callagent.{key.action}",
            tooltip=key.does,
            show=bool(key.label),
            priority=key.action == "explain_interrupt",
        )
        for key in KEYS
    ]
