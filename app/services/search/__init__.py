"""Finding cases by what people read out: a number, NIK, phone, tracking number, part of a name."""

from app.services.name_index import rebuild
from app.services.search.asked import Asked, Reason, clean_words, names_a_case, understand
from app.services.search.condition import case_condition
from app.services.search.finding import Found, Hit, find_cases
from app.services.search.listed import listed_cases

__all__ = [
    "Asked",
    "Found",
    "Hit",
    "Reason",
    "case_condition",
    "clean_words",
    "find_cases",
    "listed_cases",
    "names_a_case",
    "rebuild",
    "understand",
]
