"""Reports: asked for as jobs, made by a worker from the numbers and rows that the screens show.

`jobs` keeps who asked for what and what became of it, `making` makes one, `recap`, `register` and
`duelist` say what stands in each, `files` writes it down.
"""

from collections.abc import Mapping
from typing import Final

from app.sop.text import N_

#: What can be asked for, and as which files; the first one is offered first.
FORMATS: Final[Mapping[str, tuple[str, ...]]] = {
    "recap": ("pdf", "xlsx"),
    "register": ("xlsx", "csv"),
    "due": ("xlsx", "csv"),
}
MESSAGES: Final[Mapping[str, str]] = {
    "report_unknown": N_("There is no such report."),
    "report_too_many": N_(
        "%(count)s of your reports are not finished yet. Wait for one of them or cancel it."
    ),
    "report_not_ready": N_("This report is not finished yet."),
    "report_expired": N_("This report was thrown away after %(days)s days. Ask for it again."),
    "report_gone": N_("The file of this report is not there any more. Ask for it again."),
    "report_not_allowed": N_(
        "Your permissions have changed since you asked for this report. Ask for it again."
    ),
    "report_too_long": N_(
        "%(rows)s rows are more than a worksheet holds. Choose CSV or a shorter period."
    ),
    "report_too_late": N_("This report is finished already."),
    "report_worker_died": N_(
        "The making of this report was broken off several times. Choose a shorter period or tell"
        " the administrator."
    ),
    "report_broke": N_(
        "The report could not be made. Ask for it again; if it fails again, tell the administrator."
    ),
    "report_no_store": N_("The file could not be stored. Ask for the report again later."),
}
