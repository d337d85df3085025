"""Incidents: what is broken, since when, for whom, and what a person is told about it."""

from callagent_cli.reporting.incidents.affected import affected_calls, failed_calls
from callagent_cli.reporting.incidents.book import IncidentBook
from callagent_cli.reporting.incidents.incident import Documents, Incident
from callagent_cli.reporting.incidents.lost_worker import LostWorker, is_lost
from callagent_cli.reporting.incidents.shared import Situation
from callagent_cli.reporting.incidents.timers import Now
from callagent_cli.reporting.incidents.wording import alert_line

__all__ = [
    "Documents",
    "Incident",
    "IncidentBook",
    "LostWorker",
    "Now",
    "Situation",
    "affected_calls",
    "alert_line",
    "failed_calls",
    "is_lost",
]
