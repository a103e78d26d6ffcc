"""The numbers of each chart, one function each; page, CSV, report and tests share its answer.

Each function takes a session and a `Scope` (period, channel, category, kecamatan, step) and answers
with plain dataclasses of whole numbers. Finished work is read from the roll-up, what is open now
from the tables.
"""

from app.services.charts.arrivals import Arrivals, arrivals
from app.services.charts.delivery import CourierDelivery, deliveries
from app.services.charts.due import DueDates, due_dates
from app.services.charts.load import LaneLoad, PersonLoad, lane_load, person_load
from app.services.charts.openwork import AGES, AgeClass, OpenAge, open_by_age
from app.services.charts.pauses import PauseLoss, pause_losses
from app.services.charts.periods import last_day
from app.services.charts.returns import FailedItem, Returns, returns
from app.services.charts.rounds import Rounds, rounds
from app.services.charts.sorts import SortNumbers, sort_numbers
from app.services.charts.steps import StepDuration, bins_of, step_durations
from app.services.charts.trend import TrendPoint, trend

__all__ = [
    "AGES",
    "AgeClass",
    "Arrivals",
    "CourierDelivery",
    "DueDates",
    "FailedItem",
    "LaneLoad",
    "OpenAge",
    "PauseLoss",
    "PersonLoad",
    "Returns",
    "Rounds",
    "SortNumbers",
    "StepDuration",
    "TrendPoint",
    "arrivals",
    "bins_of",
    "deliveries",
    "due_dates",
    "lane_load",
    "last_day",
    "open_by_age",
    "pause_losses",
    "person_load",
    "returns",
    "rounds",
    "sort_numbers",
    "step_durations",
    "trend",
]
