"""The cases behind a number: which they are, how many, and those that the asker may know of.

The number is read where the chart read it; the rows are found by the same rules. What is counted
but may not be shown (confidential cases) is said as a number.
"""

from app.services.chart_cases.listing import CaseRow, Page, export_rows, load_page
from app.services.chart_cases.numbers import number_of
from app.services.chart_cases.question import OF, Question, read_question

__all__ = [
    "OF",
    "CaseRow",
    "Page",
    "Question",
    "export_rows",
    "load_page",
    "number_of",
    "read_question",
]
