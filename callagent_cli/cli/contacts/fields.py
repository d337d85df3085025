"""Fields that a template asks for and nobody has: found before the first dial."""

from collections.abc import Iterable
from typing import Final

from callagent_cli.errors import ContactsError
from callagent_cli.services.hubspot import PROPERTIES
from callagent_cli.settings import Settings
from callagent_cli.suggestions import did_you_mean
from callagent_cli.worker.steps.prompts import fields_of

_OWN: Final = ("name", "extension")
"""What every contact has, whatever its file's columns; empty where the file says nothing."""


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


def _missing(where: str, missing: list[str], known: list[str], source: str) -> ContactsError:
    names = ", ".join(f"`{name}`" for name in dict.fromkeys(missing))
    near = [nearest for name in missing if (nearest := did_you_mean(name, known))]
    meant = f"did you mean {', '.join(f'`{name}`' for name in near)}? " if near else ""
    columns = ", ".join(f"`{name}`" for name in known)
    return ContactsError(
        f"`{where}` asks for {names}, which {source} does not have",
        hint=f"{meant}its fields are {columns}",
    )
