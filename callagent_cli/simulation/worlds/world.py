"""A world in virtual time: the real worker, adapters and store against the twins and a timeline."""

from dataclasses import dataclass
from typing import Final, Literal

from callagent_cli.clock import Clock
from callagent_cli.services.http import Http
from callagent_cli.simulation.carriers.in_process import InProcessHttp
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.virtual.collector import rarely_collected
from callagent_cli.simulation.virtual.loop import (
    SimulationDeadlock,
    SimulationHorizon,
    SimulationKilled,
    SimulationSpins,
    VirtualLoop,
    running_loop,
)
from callagent_cli.simulation.virtual.run import release_killed, run_virtual
from callagent_cli.simulation.worlds.stage import Life, Stage
from callagent_cli.store.database import Hooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Ends one life of the worker as a power failure would, and begins the next one later.

    `where` is `step` (before the `number`-th callback of its loop), `before_commit` or
    `after_commit` (at the `number`-th commit of its store).
    """

    where: Literal["step", "before_commit", "after_commit"]
    number: int
    restart_after_s: float = 0.0


_BEGINNING_S: Final = 1e-6
"""How long it takes a process to begin.

The calendar of a world is exact to a quarter of a microsecond only: what was done in the instant of
a kill must not come after the beginning of the next life.
"""


class _Cut(KeyboardInterrupt):
    """A kill in the middle of a callback; of this kind the loop lets through at once."""


class World(Stage):
    """Runs a scenario under one seed, as fast as it can be computed.

    After a run `missed` has the kills that struck nobody: their lives ended before, or never began.
    """

    missed: list[Kill]
    _loop: VirtualLoop | None = None

    def interrupt(self) -> None:
        """End the world before its next callback: whoever waits for it has seen enough."""
        self.interrupted = True
        if self._loop is not None:
            self._loop.kill()

    def run(self, *kills: Kill) -> Evidence:
        """Run the world to its end and return what the judge needs.

        The first of `kills` ends the first life, the next one the second, and so on.
        """
        self.missed = list(kills)
        with rarely_collected():
            return self._run(list(kills))

    def _run(self, pending: list[Kill]) -> Evidence:
        offset_s = 0.0
        finished = False
        try:
            self._fill_store()
        except KeyboardInterrupt:
            self.interrupted = True
            self._store = self._store.abandon()
        while offset_s < self.scenario.until.at_most and not self.interrupted:
            life = Life(offset_s)
            finished = self._one_life(life, pending.pop(0) if pending else None)
            if life.restart_at_s is None:
                break
            # Who stops lets calls end, and that may take longer than until the next life is due.
            offset_s = max(life.restart_at_s, offset_s + self._lived_s) + _BEGINNING_S
        evidence = self._evidence(finished=finished)
        if not self._store_is_lent:
            self._store.close()
        release_killed()
        return evidence

    def _one_life(self, life: Life, kill: Kill | None) -> bool:
        """Run one life of the worker; return whether the campaign has come to its end."""
        horizon_s = self.scenario.until.at_most - life.offset_s
        kill_at = kill.number if kill is not None and kill.where == "step" else None
        self._loop = None

        async def main() -> None:
            self._loop = running_loop()
            await self._live(life)

        self._store.hooks = _hooks(kill)
        try:
            run_virtual(main(), horizon_s=horizon_s, kill_at=kill_at)
        except (SimulationKilled, _Cut) as cut:
            if kill is not None and _struck(kill, cut):
                self.missed.remove(kill)
            self._store = self._store.abandon()
            if self.interrupted:
                life.restart_at_s = None
            elif life.restart_at_s is None:
                rest_s = 0.0 if kill is None else kill.restart_after_s
                life.restart_at_s = life.offset_s + self._lived_s + rest_s
            return False
        except (SimulationHorizon, SimulationDeadlock, SimulationSpins):
            self._store = self._store.abandon()
            return False
        except KeyboardInterrupt:
            self.interrupted = True
            life.restart_at_s = None
            self._store = self._store.abandon()
            return False
        return life.ended

    @property
    def _lived_s(self) -> float:
        """How long the last life has lasted."""
        return 0.0 if self._loop is None else self._loop.time()

    def _kill(self, _life: Life) -> None:
        running_loop().kill()

    def _connect(self, service: str, clock: Clock) -> Http:
        # The providers' calendar is not the worker's: a step of the one leaves the other alone.
        true = Clock(clock.monotonic, lambda: clock.utc() - self._shift_s, clock.random)
        return InProcessHttp(self._desks[service], true)


def _struck(kill: Kill, cut: BaseException) -> bool:
    """Tell whether a life was ended by its kill, and not by the timeline or by Ctrl-C."""
    if isinstance(cut, SimulationKilled):
        return kill.where == "step" and cut.step >= kill.number
    return isinstance(cut, _Cut)


def _hooks(kill: Kill | None) -> Hooks:
    """Return hooks that cut a life at one side of a commit."""
    if kill is None or kill.where == "step":
        return Hooks()
    left = kill.number

    def cut() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise _Cut

    return Hooks(before_commit=cut) if kill.where == "before_commit" else Hooks(after_commit=cut)
