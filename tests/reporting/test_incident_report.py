"""The report of an incident: its numbers are those of the twins' ledger."""

import json
from typing import Any

import msgspec
import pytest
from outage_worlds import Watched, library
from reporting_doubles import (
    ALERT,
    EPOCH_S,
    KEY,
    NUMBER,
    Drill,
    breaker,
    failed_attempt,
    failed_call,
)

from callagent_cli.reporting.delivery import Delivery, Row
from callagent_cli.reporting.incidents.incident import BUCKETS_SHOWN
from callagent_cli.reporting.incidents.report import Report, report_of
from callagent_cli.reporting.incidents.report_text import CHART_COLUMNS, chart, markdown, plain


def _played(name: str) -> Watched:
    world = Watched(library(name))
    world.run()
    return world


@pytest.mark.parametrize(
    ("scenario", "service"),
    [
        ("elevenlabs-503", "elevenlabs"),
        ("elevenlabs-503-lanes", "elevenlabs"),
        ("elevenlabs-grey", "elevenlabs"),
        ("flapping-outage", "elevenlabs"),
        ("crm-down", "crm"),
        ("quota-exceeded", "elevenlabs"),
    ],
)
def test_the_numbers_of_a_report_equal_the_ledger(scenario: str, service: str) -> None:
    """Every failed request that reached the twin is in the report, once, and as what it was."""
    world = _played(scenario)
    reports = [report for report in world.reports if report.service == service]
    requests = world.requests[service]
    waste = reports[0].waste

    assert len(reports) == 1
    assert waste.first_attempts + waste.retries + waste.trials == len(requests)
    assert waste.after_open == 0
    assert sum(reports[0].errors.counts) == len(requests)
    assert reports[0].times.first_failure <= reports[0].times.detected
    affected = {request.call_id for request in requests if request.call_id}
    assert len(affected) <= reports[0].impact.affected <= len(requests)
    impact = reports[0].impact
    assert impact.affected + impact.protected <= world.scenario.campaign.contacts


def test_a_report_names_exactly_the_calls_that_failed_by_it() -> None:
    """One call failed for good in the required scenario; the others were protected."""
    world = _played("elevenlabs-503")
    report = world.reports[0]

    assert report.impact.failed == len(world.failed) == 1
    assert report.impact.affected_now == {"failed": 1}
    assert report.impact.protected == 9
    assert report.requeue == "callagent requeue --incident INC-0001"


def test_a_flapping_outage_over_a_kill_is_one_opened_and_one_resolved() -> None:
    """Twelve minutes of coming and going: two alerts that begin and end it, updates between."""
    world = _played("flapping-outage")
    kinds = [alert.kind for alert in world.raised]

    assert world.runs == {"run_1", "run_2"}
    assert kinds.count("opened") == kinds.count("resolved") == 1
    assert kinds[-1] == "resolved"
    assert world.reports[0].times_opened > 5


def _report(drill: Drill) -> Report:
    report = report_of(drill.documents, "INC-0001", state_of=lambda _: "failed")
    assert report is not None
    return report


def _outage() -> Drill:
    drill = Drill(at_s=10)
    failure = failed_attempt(request_id="req_9", error_message=f"{KEY} refused {NUMBER}")
    drill.see(failure).at(15).see(*[failure] * 3, breaker("closed", "open"), failed_call())
    drill.book.acknowledge("INC-0001", drill.at(75).instant(), by="ana")
    drill.at(130).see(breaker("half_open", "closed")).at(300)
    for told in drill.told:
        kept = msgspec.structs.replace(ALERT, id=told.alert, kind=told.kind, title=told.title)
        delivery = Delivery(delivered_utc_s=EPOCH_S + 301)
        row = Row(alert=kept, deliveries={"email": delivery, "slack": Delivery(error="410")})
        drill.documents.put("alert", told.alert, msgspec.json.encode(row))
    return drill


def test_times_are_kept_and_their_differences_told() -> None:
    """First failure, detected, acknowledged, mitigated, resolved; MTTD, MTTA, MTTR."""
    times = _report(_outage()).times

    assert times.first_failure == "2026-01-05T09:00:10.000Z"
    assert times.detected == times.mitigated == "2026-01-05T09:00:15.000Z"
    assert times.resolved == "2026-01-05T09:02:10.000Z"
    assert times.declared_over == "2026-01-05T09:04:10.000Z"
    assert (times.mttd_s, times.mtta_s, times.mttm_s, times.mttr_s) == (5, 60, 5, 120)
    assert times.acknowledged_by == "ana"


def test_an_open_incident_has_no_end_and_counts_who_waits_now() -> None:
    """What is not known yet is null, and the calls that wait are those of this moment."""
    drill = Drill().see(*[failed_attempt()] * 4, breaker("closed", "open"))
    report = report_of(drill.documents, "INC-0001", state_of=lambda _: "", pending=12)

    assert report is not None
    assert (report.times.resolved, report.times.mttr_s) == (None, None)
    assert report.impact.protected == 12
    assert report.impact.affected_now == {"gone": 1}
    assert report.requeue == ""


def test_failed_calls_that_ended_with_their_run_have_an_end() -> None:
    """Their incident is resolved, and says when."""
    drill = Drill().see(failed_attempt(outcome="rejected"), failed_call()).at(60).end_of_run()
    report = _report(drill)

    assert report.status == "resolved"
    assert report.times.resolved == report.times.declared_over == "2026-01-05T09:01:00.000Z"
    assert report.times.mttr_s == 60


def test_an_incident_that_does_not_exist_has_no_report() -> None:
    """Not an empty one."""
    assert report_of(Drill().documents, "INC-0001", state_of=str) is None


@pytest.mark.parametrize("form", ["plain", "markdown", "json"])
def test_each_form_of_a_report_holds_it_all_and_no_secret(form: str) -> None:
    """Header, times, impact, waste, chart, timeline, samples, settings, command; masked."""
    report = _report(_outage())
    forms: dict[str, Any] = {
        "plain": "\n".join(plain(report)),
        "markdown": "\n".join(markdown(report)),
        "json": msgspec.json.encode(report).decode(),
    }
    text = forms[form]

    for word in ("INC-0001", "elevenlabs:ServiceUnavailable", "req_9", "--incident INC-0001"):
        assert word in text
    assert "breaker half_open → closed" in text
    assert "alert INC-0001-01 (opened)" in text
    assert "INC-0001-01 delivered by email" in text
    assert "INC-0001-01 not delivered by slack: 410" in text
    assert KEY not in text
    assert NUMBER not in text


def test_the_plain_report_reads_from_top_to_bottom() -> None:
    """Its headings stand in the order of a report."""
    lines = list(plain(_report(_outage()), ascii_only=True))

    assert lines[0] == "INC-0001 elevenlabs:ServiceUnavailable (critical, resolved)"
    assert [line for line in lines[1:] if line and not line.startswith(" ")] == [
        "What",
        "Times (UTC)",
        "Impact",
        "Waste: failed requests to the service",
        "Errors over time",
        "Timeline",
        "Sample errors",
        "Settings in force",
        "What to do",
    ]


def test_markdown_tables_survive_a_pipe_in_an_error() -> None:
    """A provider's text cannot break a table."""
    drill = Drill().see(*[failed_attempt(error_message="a | b\nc")] * 4, breaker("closed", "open"))
    rows = [line for line in markdown(_report(drill)) if "elevenlabs.dial" in line]

    assert rows
    assert all(row.endswith("a \\| b c |") for row in rows)


@pytest.mark.parametrize(
    ("counts", "ascii_only", "expected"),
    [
        ([], False, ["no failed attempt"]),
        ([4, 0, 1], False, ["failed attempts in each 10s, at most 4", "█ ▂", "0s 30s"]),
        ([4, 0, 1], True, ["failed attempts in each 10s, at most 4", "@ :", "0s 30s"]),
    ],
)
def test_errors_over_time_are_a_chart(
    counts: list[int], ascii_only: bool, expected: list[str]
) -> None:
    """One column a bucket; one error is never invisible."""
    assert chart(counts, 10.0, ascii_only=ascii_only) == expected


def test_a_long_outage_still_fits_the_chart() -> None:
    """A day in ten-second buckets is at most sixty columns, and no error is lost."""
    lines = chart([1] * 8640, 10.0, ascii_only=False)

    assert len(lines[1]) == CHART_COLUMNS
    assert lines[0] == "failed attempts in each 24m, at most 144"
    assert lines[2].endswith("24h")


def test_a_clock_that_jumps_by_decades_leaves_a_report_that_can_be_read() -> None:
    """A machine that starts in 1970 asks for the time later; no error is lost."""
    drill = Drill().see(*[failed_attempt()] * 4, breaker("closed", "open"))
    drill.now_s += 50 * 365 * 86_400
    drill.see(failed_attempt(trial=True))
    errors = _report(drill).errors

    assert len(errors.counts) <= BUCKETS_SHOWN + 1
    assert sum(errors.counts) == 5


def test_the_json_of_a_report_is_stable() -> None:
    """Its first key is the schema, its times are ISO texts, its durations numbers of seconds."""
    document = json.loads(msgspec.json.encode(_report(_outage())))

    assert document["schema"] == 1
    assert document["times"]["mttr_s"] == 120
    assert document["waste"] == {"first_attempts": 4, "retries": 0, "trials": 0, "after_open": 0}
    assert document["samples"][0]["at_utc_s"] == EPOCH_S + 10
