"""The instruction for the model, with the contact's own fields in its braces."""

from string import Formatter

from callagent_cli.calls.model import Call
from callagent_cli.errors import SettingsError


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
