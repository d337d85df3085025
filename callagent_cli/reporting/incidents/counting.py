"""Adds failed attempts to an incident: counts, examples, and the errors over time."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from callagent_cli.reporting.incidents.failure_log import Failure
from callagent_cli.reporting.incidents.incident import (
    BUCKETS_MAX,
    BUCKETS_SHOWN,
    SAMPLES_MAX,
    Incident,
    Sample,
    Waste,
)

Redact = Callable[[str], str]


def counted(incident: Incident, failures: Iterable[Failure], redact: Redact) -> Incident:
    """Return the incident with these failures in its counts, samples and chart."""
    for failure in failures:
        message = redact(failure.error_message)
        changes: dict[str, Any] = {
            "attempts_failed": incident.attempts_failed + 1,
            "waste": _wasted(incident.waste, failure),
            "last_error": message,
            "last_http_status": failure.http_status,
        }
        if _is_instructive(incident.samples, failure):
            changes["samples"] = _with_sample(incident.samples, failure, message)
        changes |= _charted(incident, failure.at_utc_s)
        incident = incident.evolve(**changes)
    return incident


def _wasted(waste: Waste, failure: Failure) -> Waste:
    name = "trials" if failure.trial else "retries" if failure.attempt > 1 else "first_attempts"
    return msgspec.structs.replace(waste, **{name: getattr(waste, name) + 1})


def _kind(failure: Failure | Sample) -> tuple[str, str, int | None]:
    return failure.operation, failure.outcome, failure.http_status


def _is_instructive(samples: tuple[Sample, ...], failure: Failure) -> bool:
    """Tell whether to keep a failure as an example: there is room, or it is of another kind."""
    if len(samples) < SAMPLES_MAX:
        return True
    kinds = [_kind(sample) for sample in samples]
    return _kind(failure) not in kinds and len(set(kinds)) < SAMPLES_MAX


def _with_sample(samples: tuple[Sample, ...], failure: Failure, message: str) -> tuple[Sample, ...]:
    """Return the samples with one more; one of a kind that is there twice makes room."""
    if len(samples) == SAMPLES_MAX:
        kinds = [_kind(sample) for sample in samples]
        twice = max(index for index, kind in enumerate(kinds) if kinds.count(kind) > 1)
        samples = samples[:twice] + samples[twice + 1 :]
    sample = Sample(
        at_utc_s=failure.at_utc_s,
        operation=failure.operation,
        call=failure.call,
        attempt=failure.attempt,
        outcome=failure.outcome,
        http_status=failure.http_status,
        request_id=failure.request_id,
        error_message=message,
    )
    return (*samples, sample)


def _charted(incident: Incident, at_utc_s: float) -> dict[str, Any]:
    errors, bucket_s = dict(incident.errors), incident.bucket_s
    bucket = int(max(0.0, at_utc_s - incident.first_failure_utc_s) // bucket_s)
    errors[bucket] = errors.get(bucket, 0) + 1
    while len(errors) > BUCKETS_MAX or max(errors) > BUCKETS_SHOWN:
        errors, bucket_s = _widened(errors), bucket_s * 2
    return {"errors": errors, "bucket_s": bucket_s}


def _widened(errors: Mapping[int, int]) -> dict[int, int]:
    wider: dict[int, int] = {}
    for bucket, count in errors.items():
        wider[bucket // 2] = wider.get(bucket // 2, 0) + count
    return wider
