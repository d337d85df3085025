"""What a health check teaches."""

from callagent_cli.errors import ServiceError, TransientError
from callagent_cli.events import Health
from callagent_cli.resilience.outcome import Outcome

_LIMITED = frozenset({Outcome.THROTTLED, Outcome.BUSY_HERE})


def health_of(error: ServiceError | None) -> Health:
    """Return what a check that raised `error`, or nothing, says about the service.

    Only a check that succeeded is healthy, only one that failed as an outage fails is unhealthy.
    A refusal (401, 403, 404, 422, no credit) means that the check is wrong, not the service. A
    limit is unknown as well: an edge that counts requests answers 429 in front of a dead service,
    and a breaker must not half-open on its word.
    """
    if error is None:
        return "healthy"
    if isinstance(error, TransientError) and error.outcome not in _LIMITED:
        return "unhealthy"
    return "unknown"
