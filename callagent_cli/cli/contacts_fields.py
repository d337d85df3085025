"""Fields that a template asks for and nobody has: found before the first dial."""

from collections.abc import Iterable
from typing import Final

import msgspec

from callagent_cli.cli.suggestions import did_you_mean
from callagent_cli.contacts.report import ImportReport
from callagent_cli.errors import ContactsError
from callagent_cli.services.hubspot import PROPERTIES
from callagent_cli.settings import Settings
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.prompts import fields_of

_KIND: Final = "columns"
_OWN: Final = ("name", "extension")
"""What every contact has, whatever its file's columns; empty where the file says nothing."""


def remember_columns(store: SqliteStore, campaign: str, report: ImportReport) -> None:
    """Keep a campaign's columns for runs that recognize the file and do not read it again."""
    store.put(_KIND, campaign, msgspec.json.encode(report.variables), open_=False)


def require_fields(settings: Settings, variables: Iterable[str], *, source: str) -> None:
    """Raise `ContactsError` when a template names a field that no contact of the file has.

    The CRM may know fields that the file does not; `services.elevenlabs.agent_variables` are those
    of the agent's own template, which it gets from the file alone.
    """
    services = settings.services
    known = {*variables, *_OWN}
    from_crm = PROPERTIES if services.crm.provider == "hubspot" else ()
    wanted = {
        "services.llm.prompt": [
            name for name in fields_of(services.llm.prompt) if name not in {*known, *from_crm}
        ],
        "services.elevenlabs.agent_variables": [
            name for name in services.elevenlabs.agent_variables if name not in known
        ],
    }
    for where, missing in wanted.items():
        if missing:
            raise _missing(where, missing, sorted(known), source)


def known_columns(store: SqliteStore, campaign: str) -> tuple[str, ...] | None:
    """Return the columns of a campaign's last file, None when they are not known."""
    body = store.get(_KIND, campaign)
    return None if body is None else msgspec.json.decode(body, type=tuple[str, ...])


def _missing(where: str, missing: list[str], known: list[str], source: str) -> ContactsError:
    names = ", ".join(f"`{name}`" for name in dict.fromkeys(missing))
    near = [nearest for name in missing if (nearest := did_you_mean(name, known))]
    meant = f"did you mean {', '.join(f'`{name}`' for name in near)}? " if near else ""
    columns = ", ".join(f"`{name}`" for name in known)
    return ContactsError(
        f"`{where}` asks for {names}, which {source} does not have",
        hint=f"{meant}its fields are {columns}",
    )
