"""The instruction for the model, with the contact's own fields in its braces."""

from collections.abc import Collection
from string import Formatter
from typing import Final

from callagent_cli.calls.model import Call
from callagent_cli.errors import SettingsError
from callagent_cli.services.hubspot import PROPERTIES

_OF_EVERYBODY: Final = frozenset({"name"})


def fields_of(prompt: str) -> list[str]:
    """Return the names in braces; raises `SettingsError` when the braces do not match."""
    hint = "write `{{` for a brace of its own"
    try:
        names = [name for _, name, _, _ in Formatter().parse(prompt) if name is not None]
    except ValueError as error:
        raise SettingsError(f"`services.llm.prompt` cannot be read: {error}", hint=hint) from error
    if "" in names:
        raise SettingsError("`services.llm.prompt` has braces without a name in them", hint=hint)
    return names


def missing_fields(
    prompt: str, contact_variables: Collection[str], *, with_crm: bool = True
) -> list[str]:
    """Return the names in a prompt that would be filled from nowhere, in their order, each once.

    `contact_variables` are the columns of the contacts file; what a CRM may know counts as known
    unless there is none. Raises `SettingsError` when the prompt is no template.
    """
    known = _OF_EVERYBODY | frozenset(contact_variables) | frozenset(PROPERTIES if with_crm else ())
    return [name for name in dict.fromkeys(fields_of(prompt)) if name not in known]


def fill(prompt: str, call: Call) -> str:
    """Return the prompt for one call; a field the contact does not have is left empty.

    Values are put in as they are and never read as a template of their own.
    """
    contact = call.contact
    crm = call.results.get("look_up", {}).get("properties") or {}
    known = {**crm, **contact.variables, "name": contact.name}
    parts = []
    for text, name, _, _ in Formatter().parse(prompt):
        parts.append(text)
        if name:
            parts.append(str(known.get(name) or ""))
    return "".join(parts)
