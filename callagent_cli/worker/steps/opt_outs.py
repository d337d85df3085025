"""Who must not be called any more: asked before each dial, and told when a person says so."""

from collections.abc import Mapping
from typing import Any, Final

from callagent_cli.calls.model import Call
from callagent_cli.contacts.cells import show
from callagent_cli.contacts.values import says_no_calls
from callagent_cli.store.suppressions import EVERYWHERE, SANDBOX, Suppression
from callagent_cli.worker.resources import Resources

_NOTHING_SAID: Final = frozenset({"", "none", "null"})
"""How a model writes that it collected nothing."""


def opt_out_of(collected: Mapping[str, Any], field: str) -> str:
    """Return why a person is not called again, from the field that the agent collects.

    Empty when nothing was collected or the answer is no. An answer that cannot be read counts as
    an opt-out: a person called once too often is worse than one not called. The transcript is
    never asked.
    """
    value = collected.get(field) if field else None
    if isinstance(value, bool):
        answer: bool | None = value
    elif value is None or (isinstance(value, str) and value.strip().casefold() in _NOTHING_SAID):
        answer = False
    else:
        answer = says_no_calls(str(value)) if isinstance(value, str | int | float) else None
    if answer is None:
        return f"opted out on a call: `{field}` is unreadable ({show(str(value))})"
    return "opted out on a call" if answer else ""


class OptOuts:
    """The suppression list as the worker uses it; without a list nobody is suppressed."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def reason(self, call: Call) -> str:
        """Return why this person is not called, empty when they may be.

        Raises `StoreError` when the list cannot be read: then nobody is called.
        """
        known = self._resources.suppressions
        contact = call.contact
        return "" if known is None else known.reason(contact.number, contact.alternate)

    def hear(self, call: Call, collected: Mapping[str, Any]) -> str:
        """Return why the person is not called again, after that is on disk; empty otherwise."""
        resources = self._resources
        reason = opt_out_of(collected, resources.settings.services.elevenlabs.opt_out_field)
        known = resources.suppressions
        if reason and known is not None:
            scope = SANDBOX if resources.settings.mode == "sandbox" else EVERYWHERE
            now_utc_s = resources.clock.utc()
            known.add(
                Suppression(
                    number=number, reason=reason, added_utc_s=now_utc_s, scope=scope, heard=True
                )
                for number in (call.contact.number, call.contact.alternate)
                if number
            )
        return reason
