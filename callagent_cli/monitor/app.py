"""The live monitor: the frame, and what its keys do."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.widgets import Input

from callagent_cli.counting import counted
from callagent_cli.errors import CallAgentError
from callagent_cli.monitor.arrange import PANELS
from callagent_cli.monitor.frame import Frame
from callagent_cli.monitor.keys import Key
from callagent_cli.monitor.paint.plain import clean
from callagent_cli.monitor.ports import CommandName, Leave, Pace
from callagent_cli.monitor.themes import DARK, LIGHT
from callagent_cli.monitor.verdict import finishing
from callagent_cli.monitor.widgets.dialogs import Choice, Question
from callagent_cli.monitor.widgets.key_bar import KeyBar
from callagent_cli.monitor.widgets.key_list import Help

if TYPE_CHECKING:
    from callagent_cli.monitor.widgets.grid import Grid

_NO_REHEARSAL = "only in a rehearsal that is being watched: callagent simulate --tui"


class MonitorApp(Frame):
    """The screen beside a worker, in its process or another's.

    `await app.run_async()` returns how the person left, or none after a failure of the screen
    (`crash` then holds it): the worker is never touched by the screen's end.
    """

    leaving: bool = False

    def paint(self) -> None:
        """Show the state as it is, and leave when that was waited for."""
        super().paint()
        if self.state.ended is not None and (self.leaving or self.options.close_when_done):
            how: Leave = "drained" if self.leaving else "closed"
            self.exit(how)

    # Keys that are not possible

    def refusal(self, key: Key) -> str:
        """Return why a key does nothing right now; empty when it does something."""
        if key.rehearsal and self.options.pace is None:
            return _NO_REHEARSAL
        if key.command is None:
            return ""
        resumes = key.command == "pause" and self.state.paused is not None
        return self.commands.refusal("resume" if resumes else key.command)

    def key_label(self, key: Key) -> str:
        """Return what the key bar says: what a key would do now, not what it did last."""
        if key.action == "toggle_pause" and self.state.paused is not None:
            return "Resume"
        if key.action == "freeze":
            pace = self.options.pace
            if self.frozen_at is not None or (pace is not None and pace.held):
                return "Go on"
            return key.label if pace is None else "Hold"
        return key.label

    # Run

    def action_toggle_pause(self) -> None:
        """Pause dialing, or resume it."""
        if self.state.paused is None:
            self._command("pause", self.commands.pause)
        else:
            self._command("resume", self.commands.resume)

    def action_drain(self) -> None:
        """Ask, then drain."""
        if not self._refused("drain"):
            self._ask(
                "Drain the run?",
                f"{finishing(self.state)}; no other call begins. Then the run ends, and "
                "another one can resume it.",
                Choice("y", "drain", "drain"),
                then=lambda _: self._tell(self.commands.drain),
            )

    def action_lanes(self, change: int) -> None:
        """Work more or fewer calls at once."""
        self._command("lanes", partial(self.commands.lanes, change))

    # Breakers

    def action_trip(self) -> None:
        """Ask, then isolate the selected service."""
        service = self._service()
        if not service or self._refused("trip"):
            return
        if self.state.services[service].breaker == "isolated":
            self.say(f"{service} is isolated already; r resets it")
            return
        self._ask(
            f"Trip the {service} breaker?",
            f"No call uses {service} until somebody presses r. Calls that need it wait; a request "
            "that is under way finishes; no contact is lost.",
            Choice("y", "trip", "trip"),
            then=lambda _: self._tell(partial(self.commands.trip, service)),
        )

    def action_reset(self) -> None:
        """Close the selected breaker, or say why there is nothing to reset."""
        service = self._service()
        if not service or self._refused("reset"):
            return
        breaker = self.state.services[service].breaker
        if breaker in {None, "closed"}:
            word = "closed" if breaker else "not used yet"
            self.say(f"the {service} breaker is {word}: nothing to reset")
            return
        self._tell(partial(self.commands.reset, service))

    def action_check(self) -> None:
        """Check the selected service's health."""
        if service := self._service():
            self._command("check", partial(self.commands.check, service))

    def action_requeue(self) -> None:
        """Ask, then take back what the selected service made fail."""
        service = self._service()
        if not service or self._refused("requeue"):
            return
        self._ask(
            f"Requeue the calls that {service} made fail?",
            "They go on from their first unfinished step; a finished dial is never repeated.",
            Choice("y", "requeue", "requeue"),
            then=lambda _: self._tell(partial(self.commands.requeue, service)),
        )

    # Alerts

    def action_acknowledge(self) -> None:
        """Acknowledge the selected alert."""
        row = self.grids["alerts"].selected
        if row is None:
            self.say("no alert to acknowledge")
        else:
            self._command("acknowledge", partial(self.commands.acknowledge, row.key))

    def action_acknowledge_all(self) -> None:
        """Ask, then acknowledge every alert."""
        unseen = self.state.alerts.unseen
        if not unseen:
            self.say("no alert to acknowledge")
        elif not self._refused("acknowledge"):
            self._ask(
                f"Acknowledge all {unseen} alerts?",
                "Their reminders stop. What they tell of goes on until it is resolved.",
                Choice("y", "all", "acknowledge all"),
                then=lambda _: self._tell(partial(self.commands.acknowledge, "all")),
            )

    def action_mute(self) -> None:
        """Silence the selected service's alerts."""
        if service := self._service():
            self._command("mute", partial(self.commands.mute, service))

    # View

    def action_filter(self) -> None:
        """Open the filter line."""
        self.filter_line.display = True
        self.filter_line.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while typing."""
        if event.input is self.filter_line:
            for grid in self.grids.values():
                grid.set_filter(event.value)
            self.paint()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter and go back to the rows."""
        if event.input is self.filter_line:
            self._grid().focus()

    def action_step_back(self) -> None:
        """Clear the filter, else leave the zoom, else close the details."""
        if self.filter_line.display:
            self.filter_line.value = ""
            self.filter_line.display = False
            self._grid().focus()
        elif self.zoomed:
            self.zoomed = ""
        elif self.details_open:
            self.details_open = None
        self._again()

    def action_details(self) -> None:
        """Open or close the details."""
        open_ = self._arranged is not None and "details" in self._arranged.panels
        self.zoomed = ""
        self.details_open = not open_
        self._again()

    def action_zoom(self) -> None:
        """Give the active panel the whole screen, or take it back."""
        self.zoomed = "" if self.zoomed else self.active
        self._again()

    def action_freeze(self) -> None:
        """Freeze the screen, or hold the rehearsal's time; the other way round next time."""
        pace = self.options.pace
        if pace is not None:
            (pace.go if pace.held else pace.hold)()
        else:
            self.frozen_at = self.state.events if self.frozen_at is None else None
        self.paint()

    def action_copy(self) -> None:
        """Copy what is known of the selected row."""
        title, facts = self.facts(self._clock_utc())
        if not facts:
            self.say("nothing to copy")
            return
        lines = [title, *(f"{fact.label}: {clean(fact.text)}" for fact in facts)]
        self.copy_to_clipboard("\n".join(lines))
        self.say(f"copied {title}, if this terminal lets programs copy")

    def action_light(self) -> None:
        """Change between the dark and the light theme."""
        self.use_palette(DARK if self._palette is LIGHT else LIGHT)

    def action_step(self) -> None:
        """Let one simulated second pass."""
        self._with_pace(lambda pace: pace.step())

    def action_speed(self, factor: float) -> None:
        """Change the rehearsal's speed."""
        self._with_pace(lambda pace: pace.change(factor))

    # Moving

    def action_panel(self, number: int) -> None:
        """Focus a panel; one that does not fit is zoomed."""
        name = PANELS[number - 1]
        if self.zoomed or self._arranged is None or name not in self._arranged.panels:
            self.zoomed = name
        self.active = name
        self._again()
        self.grids[name].focus()

    def action_next_panel(self) -> None:
        """Focus the next panel that is shown."""
        self._cycle(1)

    def action_previous_panel(self) -> None:
        """Focus the previous panel that is shown."""
        self._cycle(-1)

    def action_move(self, change: int) -> None:
        """Move the cursor of the active panel."""
        self._grid().move(change)
        self.paint_details(self._clock_utc())

    # Help and leaving

    def action_help(self) -> None:
        """Show every key."""
        self._list_keys()

    def action_command_palette(self) -> None:
        """Show every command by name."""
        self._list_keys(commands=True)

    def _list_keys(self, *, commands: bool = False) -> None:
        shown = Help(self._glyphs, self._palette, commands=commands, refusal=self.refusal)
        self.push_screen(shown, self._do)

    async def _do(self, action: str | None) -> None:
        if action:
            await self.run_action(action)

    def action_explain_interrupt(self) -> None:
        """Say how to leave: one stray key must not end a run."""
        self.say("press q to leave")

    def action_leave(self) -> None:
        """Leave at once when no run is on; else ask how."""
        word = self.state.verdict(self._clock_utc()).word
        rehearsal = self.options.pace is not None
        if rehearsal or word in {"IDLE", "DONE", "STOPPED", "LOST"}:
            self.exit("closed")
            return
        self._ask(
            "Leave the run?",
            _leaving(self.state.calls.working),
            Choice("d", "drain", "drain, then quit", self.commands.refusal("drain")),
            Choice("s", "stop", "stop now", self.commands.refusal("stop")),
            Choice("l", "detach", "leave the run going", self.commands.refusal("detach")),
            then=self._leave,
        )

    def _leave(self, answer: str) -> None:
        if answer == "drain":
            self.leaving = self._tell(self.commands.drain)
        elif answer == "stop" and self._tell(self.commands.stop):
            self.exit("stopped")
        elif answer == "detach":
            self.exit("detached")

    async def on_key_bar_pressed(self, event: KeyBar.Pressed) -> None:
        """Do what a clicked key does."""
        await self.run_action(event.key.action)

    # Small parts

    def say(self, message: str, *, bad: bool = False) -> None:
        """Show a message for a few seconds."""
        self.notify(
            self._shown(clean(message)),
            severity="error" if bad else "information",
            markup=False,
        )

    def _grid(self) -> "Grid":
        return self.grids[self.active]

    def _service(self) -> str:
        """Return the service that a breaker key acts on: the selected row's."""
        row = self._grid().selected
        service = ""
        if row is not None and self.active == "alerts":
            found = [alert for alert in self.state.alerts.latest() if alert.alert == row.key]
            service = found[0].service if found else ""
        elif row is not None and "service" in row.cells:
            service = row.cells["service"].text
        chosen = self.grids["services"].selected
        if service not in self.state.services:
            service = chosen.key if chosen is not None else ""
        if not service:
            self.say("no service is known yet")
        return service

    def _cycle(self, change: int) -> None:
        shown = [name for name in PANELS if self.panels[name].display]
        if shown:
            place = shown.index(self.active) if self.active in shown else 0
            self.grids[shown[(place + change) % len(shown)]].focus()

    def _with_pace(self, act: Callable[[Pace], None]) -> None:
        if self.options.pace is None:
            self.say(f"not possible: {_NO_REHEARSAL}")
        else:
            act(self.options.pace)
            self.paint()

    def _refused(self, command: CommandName) -> bool:
        reason = self.commands.refusal(command)
        if reason:
            self.say(f"not possible: {reason}")
        return bool(reason)

    def _command(self, command: CommandName, act: Callable[[], str]) -> None:
        if not self._refused(command):
            self._tell(act)

    def _tell(self, act: Callable[[], str]) -> bool:
        """Pass a command on and show what was answered; return whether it was taken."""
        try:
            self.say(act())
        except CallAgentError as error:
            self.say(f"{error.message}. {error.hint}" if error.hint else error.message, bad=True)
            return False
        finally:
            self.paint()
        return True

    def _ask(
        self, title: str, consequence: str, *choices: Choice, then: Callable[[str], object]
    ) -> None:
        def answered(answer: str | None) -> None:
            if answer:
                then(answer)

        self.push_screen(Question(title, self._shown(consequence), choices), answered)

    def _again(self) -> None:
        self.arrange_panels((self.size.width, self.size.height))
        self.call_after_refresh(self.paint)


def _leaving(working: int) -> str:
    """Return what becomes of the calls in flight, by the way the run is left."""
    if not working:
        return "No call is in flight. Whoever waits goes on at the next run."
    finish = "finishes" if working == 1 else "finish"
    left = "it" if working == 1 else "them"
    return (
        f"A drain ends the run when {counted(working, 'call')} in flight {finish}. Stop now leaves "
        f"{left} to the next run, which finds out what became of each dial."
    )
