"""The view state: every event folded into what an operator needs to see, in bounded memory.

It is shared by the screen, `callagent status` and the summary at the end of a run. All instants
are UTC seconds, because that is the one timeline that a living worker, a journal that is being
followed and a database that is being read have in common; every read that depends on time takes
`now_s` on it. What is not known reads as none or zero attempts, never as well.
"""

from collections.abc import Iterable

from callagent_cli.events import Stamped
from callagent_cli.monitor.folds import FOLDS
from callagent_cli.monitor.snapshot import MuteSnapshot, RunSnapshot, Snapshot
from callagent_cli.monitor.stored import in_flight_of, retry_of, take_breaker
from callagent_cli.monitor.verdict import Verdict, decide
from callagent_cli.monitor.view.alerts import AlertFeed, Tail
from callagent_cli.monitor.view.calls import CallBook
from callagent_cli.monitor.view.run import End, Hold
from callagent_cli.monitor.view.scenario import ScenarioPlan, ScenarioView
from callagent_cli.monitor.view.services import ServiceView

SERVICES_LIMIT = 32


class ViewState:
    """A pure fold of events; `services` fixes the order in which services are shown.

    `successes_to_close` is how many good trials close a breaker, for the trial's count.
    """

    def __init__(self, services: Iterable[str] = (), *, successes_to_close: int = 2) -> None:
        self.services: dict[str, ServiceView] = {name: ServiceView(name) for name in services}
        self.calls = CallBook()
        self.alerts = AlertFeed()
        self.tail = Tail()
        self.scenario: ScenarioView | None = None
        self.successes_to_close = successes_to_close
        self.run = self.campaign = self.mode = self.contacts_file = self.version = ""
        self.worker = ""
        self.lanes: int | None = None
        self.started_utc_s: float | None = None
        self.ended: End | None = None
        self.paused: Hold | None = None
        self.draining: Hold | None = None
        self.waiting: Hold | None = None
        self.heartbeat_utc_s: float | None = None
        self.gone = False
        self.in_doubt = 0
        self.mutes: tuple[MuteSnapshot, ...] = ()
        self.trouble = ""
        self.progress_utc_s: float | None = None
        self.last_utc_s: float | None = None
        self.events = 0
        self.dropped: dict[str, int] = {}
        self.seeded = False

    def fold(self, stamped: Stamped) -> None:
        """Take in one event; an event of an unknown kind is counted and otherwise ignored."""
        self.events += 1
        self.last_utc_s = stamped.utc_s
        event = stamped.event
        apply = FOLDS.get(type(event))
        if apply is not None:
            apply(self, stamped, event)

    def verdict(self, now_s: float) -> Verdict:
        """Return the verdict line's word, explanation and tone."""
        return decide(self, now_s)

    def service(self, name: str) -> ServiceView:
        """Return a service, added at the end when it is new; beyond the limit all share one."""
        known = self.services.get(name)
        if known is not None:
            return known
        if len(self.services) >= SERVICES_LIMIT:
            name = "others"
        return self.services.setdefault(name, ServiceView(name))

    def eta_s(self, now_s: float) -> float | None:
        """Return the seconds to the end at the current rate; none while held back or unknown."""
        held = self.paused or self.draining or self.waiting or self.ended
        return None if held else self.calls.eta_s(now_s)

    # What is told from outside the events

    def seed(self, totals: dict[str, int]) -> None:
        """Take over the totals of a campaign that was already begun, as the store counts them."""
        self.calls.seed(totals)
        self.seeded = True

    def heartbeat(self, utc_s: float) -> None:
        """Note a sign of life of a worker in another process; without any it is never lost."""
        self.heartbeat_utc_s = utc_s

    def follow(self, plan: ScenarioPlan, started_utc_s: float) -> None:
        """Show a rehearsal's plan beside what happens."""
        self.scenario = ScenarioView(plan, started_utc_s)

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot, services: Iterable[str] = ()) -> "ViewState":
        """Rebuild the state from the store: everything but the last minute's traffic."""
        state = cls(services)
        state.take(snapshot)
        return state

    def take(self, snapshot: Snapshot) -> None:
        """Replace what the store knows better: the run, totals, breakers, alerts and lanes."""
        self.recount(snapshot)
        for breaker in snapshot.breakers:
            take_breaker(self.service(breaker.service), breaker)
        self.calls.replace_lanes(map(in_flight_of, snapshot.calls), map(retry_of, snapshot.calls))

    def recount(self, snapshot: Snapshot) -> None:
        """Replace the run, the counts and the alerts; of all else the events tell more."""
        if snapshot.run is not None:
            self._take_run(snapshot.run)
        self.calls.seed(snapshot.totals, snapshot.waiting)
        self.seeded = True
        self.calls.results = dict(snapshot.results)
        self.in_doubt = snapshot.in_doubt
        for alert in snapshot.alerts:
            self.alerts.add(alert)
        self.take_mutes(snapshot.mutes)

    def take_mutes(self, mutes: tuple[MuteSnapshot, ...]) -> None:
        """Replace the mutes, and say of each service until when it is muted."""
        self.mutes = mutes
        for name, service in self.services.items():
            until = [mute.until_utc_s for mute in mutes if mute.covers(name)]
            service.muted_until_utc_s = max(until, default=None)

    def _take_run(self, run: RunSnapshot) -> None:
        self.run, self.campaign, self.mode = run.run, run.campaign, run.mode
        self.contacts_file, self.lanes = run.contacts or self.contacts_file, run.lanes
        self.worker = f"pid {run.pid} on {run.host}"
        self.started_utc_s = run.started_utc_s
        self.heartbeat_utc_s, self.gone = run.heartbeat_utc_s, run.gone
        self.ended = None
        if run.ended_utc_s is not None:
            self.ended = End(run.verdict, run.exit_code or 0, run.ended_utc_s)
        paused_utc_s = run.paused_utc_s or run.heartbeat_utc_s
        self.paused = Hold(run.paused_by, paused_utc_s) if run.paused_by else None
        self.draining = Hold(run.draining, run.heartbeat_utc_s) if run.draining else None
        self.waiting = None
        if run.waiting:
            self.waiting = Hold(run.waiting, run.heartbeat_utc_s, run.waiting_due_utc_s)
