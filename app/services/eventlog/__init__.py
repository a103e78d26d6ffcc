"""The step history as an event log: cases received in a period, their moves, nothing personal."""

from app.services.eventlog.reading import (
    LogEvent,
    Trace,
    archived_cases,
    hidden_cases,
    traces,
)
from app.services.eventlog.writing import CSV_COLUMNS, csv_rows, xes_pieces

__all__ = [
    "CSV_COLUMNS",
    "LogEvent",
    "Trace",
    "archived_cases",
    "csv_rows",
    "hidden_cases",
    "traces",
    "xes_pieces",
]
