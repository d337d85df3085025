"""What stands between a typed command and a ringing phone."""

from collections.abc import Mapping

from callagent_cli.calls.model import FINAL_STATES
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.cli.text import diagnostics
from callagent_cli.errors import CredentialsMissing, UsageError
from callagent_cli.settings import Settings
from callagent_cli.store.sqlite_store import SqliteStore


def require_credentials(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise `CredentialsMissing`, naming all that a live run lacks."""
    if settings.mode != "live":
        return
    services = settings.services
    voice, crm, second = services.elevenlabs, services.crm, services.llm.fallback
    wanted = {"elevenlabs.api_key": voice.api_key, "llm.api_key": services.llm.api_key}
    if second is not None:
        wanted["llm.fallback.api_key"] = second.api_key
    if crm.provider != "none":
        wanted["crm.token"] = crm.token
    lacking = {name: secret for name, secret in wanted.items() if not secret.read(environ)}
    # Both models may share one variable.
    missing = list(dict.fromkeys(secret.env or name for name, secret in lacking.items()))
    missing += [
        f"services.elevenlabs.{name}"
        for name in ("agent_id", "agent_phone_number_id")
        if not getattr(voice, name)
    ]
    if missing:
        raise CredentialsMissing(
            f"a live run needs {', '.join(missing)}",
            hint="set them in the environment and in `callagent.yaml`, or use `mode: sandbox`",
        )


def confirm_live(place: Workplace, store: SqliteStore, campaign: str, *, assume_yes: bool) -> None:
    """Ask, by a word to type, before real phones ring; raises `UsageError` when not confirmed.

    Whoever is excluded, or whose call has ended, is not counted: those phones do not ring.
    """
    if place.sandbox or assume_yes:
        return
    totals = store.totals(campaign)
    people = sum(calls for state, calls in totals.items() if state not in FINAL_STATES)
    caller = place.settings.services.elevenlabs.agent_phone_number_id
    what = f"{people} real people of campaign {campaign}, from {caller}"
    typed = diagnostics.asked(f"This calls {what}.\nType the campaign's name to begin:")
    if typed is None:
        raise UsageError(
            f"this would call {what}", hint="add `--yes` when nobody is there to be asked"
        )
    if typed != campaign:
        raise UsageError("not confirmed: nobody was called", hint="type the name exactly")
