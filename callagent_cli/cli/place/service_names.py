"""The services of the settings by the names of the command line."""

from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.errors import UsageError
from callagent_cli.settings import Settings


def service_names(settings: Settings) -> list[str]:
    """Return the services in the order in which they are shown."""
    services = settings.services
    names = ["elevenlabs", "llm"]
    if services.llm.fallback is not None:
        names.append("llm_fallback")
    if services.crm.provider != "none":
        names.append("crm")
    return names


def require_service(settings: Settings, name: str) -> str:
    """Return the name when there is such a service; raises `UsageError` with the nearest one."""
    known = service_names(settings)
    if name not in known:
        listed = ", ".join(f"`{each}`" for each in known)
        hint = hint_for(name, known, otherwise=f"the services are: {listed}")
        raise UsageError(f"no service `{name}`", hint=hint)
    return name
