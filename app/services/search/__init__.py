"""Finding cases by what people read out: a number, NIK, phone, tracking number, part of a name."""

from app.services.name_index import rebuild
from app.services.search.asked import Asked, Reason, clean_words, understand
from app.services.search.condition import Numbers, case_condition, numbers_condition
from app.services.search.finding import Found, Hit, find_cases

__all__ = [
    "Asked",
    "Found",
    "Hit",
    "Numbers",
    "Reason",
    "case_condition",
    "clean_words",
    "find_cases",
    "numbers_condition",
    "rebuild",
    "understand",
]
