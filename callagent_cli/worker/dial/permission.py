"""Whether a person may be dialed at this moment."""

from math import inf

from callagent_cli.calls.ledger import open_dial
from callagent_cli.calls.model import OPEN_DIALS, Call, CallState, DialStatus, Step
from callagent_cli.calls.windows import opens_in_s
from callagent_cli.worker.control import Control
from callagent_cli.worker.dial.ledger import DialLedger
from callagent_cli.worker.resources import Resources
from callagent_cli.worker.steps.opt_outs import OptOuts

NUMBER_BUSY_S = 15.0
"""How soon it is looked again whether another call to the same number has ended."""

_OVER = frozenset({CallState.DONE, CallState.EXCLUDED})
_UNFOLLOWED = frozenset({CallState.REVIEW, CallState.CANCELLED})
"""States of a call that the worker has let go, whether it rings or not."""


class NotNow(Exception):
    """The dial was not sent; it may be sent in `delay_s`, or (0) when somebody lets it."""

    def __init__(self, reason: str, *, delay_s: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.delay_s = delay_s


class NeverDial(NotNow):
    """The dial was not sent and none will be: the person must not be called any more."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, delay_s=inf)


class Permission:
    """Knows who stops a dial: a person, the clock, or another call to the same phone."""

    def __init__(self, resources: Resources, control: Control, ledger: DialLedger) -> None:
        self._resources = resources
        self._ledger = ledger
        self._control = control
        self._opt_outs = OptOuts(resources)

    def check(self, call: Call) -> None:
        """Raise `NotNow` when the person may not be called at this moment, or `NeverDial`."""
        suppressed = self._opt_outs.reason(call)
        if suppressed:
            raise NeverDial(suppressed)
        if call.dials >= self._resources.settings.dialing.max_dials:
            raise NeverDial(f"dialed {call.dials} times, which is the most")
        if self._control.paused_by:
            raise NotNow(f"paused by {self._control.paused_by}", delay_s=0)
        if self._control.draining:
            raise NotNow("the worker is draining", delay_s=0)
        self._check_window(call)

    def _check_window(self, call: Call) -> None:
        window = self._resources.window
        if window is None:
            return
        if not call.contact.timezone:
            raise NeverDial("the time zone is unknown: add a `timezone` column")
        try:
            wait_s = opens_in_s(window, call.contact.timezone, self._resources.clock.utc())
        except ValueError as error:  # Imported where there was such a zone.
            raise NeverDial(str(error)) from error
        if wait_s == inf:
            raise NeverDial(f"the calling window is never open in {call.contact.timezone}")
        if wait_s > 0:
            raise NotNow("outside the calling window", delay_s=wait_s)

    def check_number(self, call: Call) -> None:
        """Raise `NotNow` while the same phone rings, or may ring, for somebody else.

        Two people may share a number, with extensions of their own, and a person may be in
        another campaign, whose worker was killed.
        """
        resources = self._resources
        for other in resources.store.calls_of_number(call.contact.number):
            if other.id == call.id or other.state in _OVER:
                continue
            name = other.contact.name or other.id
            is_elsewhere = other.campaign != resources.campaign
            if is_elsewhere or other.state in _UNFOLLOWED:
                delay_s = self._left_alone_s(other)
                whom = f"{name} of {other.campaign}" if is_elsewhere else name
                reason = f"the same number may be on the phone for {whom}"
            else:
                delay_s = NUMBER_BUSY_S if self._is_on_the_phone(other) else 0.0
                reason = f"the same number is being called for {name}"
            if delay_s > 0:
                raise NotNow(reason, delay_s=delay_s)

    def _is_on_the_phone(self, call: Call) -> bool:
        if call.step is Step.FOLLOW:
            return True
        dial = open_dial(self._ledger.dials(call.id))
        if dial is None or dial.status is DialStatus.INTENT:
            return dial is not None
        return self._ledger.waited_s(dial) < self._lease_s

    def _left_alone_s(self, call: Call) -> float:
        """Return how long a call that no worker follows may still be on the phone.

        It counts on the calendar: only that went on while there was no worker.
        """
        dials = self._ledger.dials(call.id)
        if not dials:
            return 0.0
        dial = dials[-1]
        # A kill may come between a dial's answer and the next step of its call.
        unheeded = dial.status is DialStatus.PLACED and dial.conversation != call.conversation
        if not (call.step is Step.FOLLOW or dial.status in OPEN_DIALS or unheeded):
            return 0.0
        age_s = max(0.0, self._resources.clock.utc() - dial.intended_utc_s)
        return max(0.0, self._lease_s - age_s)

    @property
    def _lease_s(self) -> float:
        """Nobody is on the phone for longer, whoever may know that it rang."""
        return self._resources.settings.services.elevenlabs.follow_lease_s
