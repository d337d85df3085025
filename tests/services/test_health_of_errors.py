"""What a health check teaches."""

import pytest

from callagent_cli import errors
from callagent_cli.errors import ServiceError
from callagent_cli.events import Health
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.services.health import health_of


@pytest.mark.parametrize(
    ("error", "health"),
    [
        (None, "healthy"),
        (errors.ServiceUnavailable("x"), "unhealthy"),
        (errors.ServiceTimeout("x"), "unhealthy"),
        (errors.NetworkFailure("x"), "unhealthy"),
        (errors.RateLimited("x"), "unknown"),
        (errors.RateLimited("x", outcome=Outcome.BUSY_HERE), "unknown"),
        (errors.AuthenticationFailed("x"), "unknown"),
        (errors.InvalidPayload("x"), "unknown"),
        (errors.Misconfigured("x"), "unknown"),
        (errors.QuotaExceeded("x"), "unknown"),
    ],
    ids=repr,
)
def test_a_check_means_what_it_proves(error: ServiceError | None, health: Health) -> None:
    """Success is healthy, an outage unhealthy, a refusal or a limit proves neither."""
    assert health_of(error) == health
