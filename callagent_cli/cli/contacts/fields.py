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
    """Raise `ContactsError` when templates name fields that no contact of the file has.

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
    missing = {where: names for where, names in wanted.items() if names}
    if missing:
        raise _missing(missing, sorted(known), source)


def _missing(missing: dict[str, list[str]], known: list[str], source: str) -> ContactsError:
    asked = " and ".join(
        f"`{where}` asks for {_quoted(dict.fromkeys(names))}" for where, names in missing.items()
    )
    wanted = dict.fromkeys(name for names in missing.values() for name in names)
    near = dict.fromkeys(nearest for name in wanted if (nearest := did_you_mean(name, known)))
    meant = f"did you mean {_quoted(near)}? " if near else ""
    return ContactsError(
        f"{asked}, which {source} does not have", hint=f"{meant}its fields are {_quoted(known)}"
    )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
