"""The live monitor: the keys that ask something of the worker, and how the screen is left."""

from collections.abc import Callable
from functools import partial

from callagent_cli.counting import counted
from callagent_cli.errors import CallAgentError
from callagent_cli.monitor.keys import Key
from callagent_cli.monitor.ports import CommandName, Leave
from callagent_cli.monitor.verdict import finishing
from callagent_cli.monitor.viewer import NO_REHEARSAL, Viewer
from callagent_cli.monitor.widgets.dialogs import Choice, Question
from callagent_cli.monitor.widgets.key_bar import KeyBar
from callagent_cli.monitor.widgets.key_list import Help


class MonitorApp(Viewer):
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
            return NO_REHEARSAL
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
        row = self.panels.grids["alerts"].selected
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

    # Help and leaving

    def action_help(self) -> None:
        """Show every key."""
        self._list_keys()

    def action_command_palette(self) -> None:
        """Show every command by name."""
        self._list_keys(commands=True)

    def _list_keys(self, *, commands: bool = False) -> None:
        shown = Help(self._glyphs, self.palette, commands=commands, refusal=self.refusal)
        self.push_screen(shown, self._do)

    async def _do(self, action: str | None) -> None:
        if action:
            await self.run_action(action)

    def action_explain_interrupt(self) -> None:
        """Say how to leave: one stray key must not end a run."""
        self.say("press q to leave")

    def action_leave(self) -> None:
        """Leave at once when no run is on; else ask how."""
        word = self.state.verdict(self.clock_utc()).word
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

    def _service(self) -> str:
        """Return the service that a breaker key acts on: the selected row's."""
        row = self.panels.grid.selected
        service = ""
        if row is not None and self.panels.active == "alerts":
            found = [alert for alert in self.state.alerts.latest() if alert.alert == row.key]
            service = found[0].service if found else ""
        elif row is not None and "service" in row.cells:
            service = row.cells["service"].text
        chosen = self.panels.grids["services"].selected
        if service not in self.state.services:
            service = chosen.key if chosen is not None else ""
        if not service:
            self.say("no service is known yet")
        return service

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

        self.push_screen(Question(title, self.options.shown(consequence), choices), answered)


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
