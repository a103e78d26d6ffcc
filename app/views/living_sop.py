"""SOP Hidup: the sheet with the numbers of a period, a standard tried on the past, and published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from app.access import current_actor, current_permissions
from app.errors import error_sentence
from app.extensions import db
from app.formats import local, minutes, number, percent
from app.services.living import (
    LEAST_MINUTES,
    MOST_MINUTES,
    Living,
    can_be_tried,
    load_living,
    publish_standards,
)
from app.sop.definition import Sop
from app.sop.errors import SopError
from app.stepup import fresh_sign_in
from app.views.chart_filter import FilterBar, read_filter
from app.views.chart_links import cases_url
from app.views.charts.base import period_words
from app.views.office import request_time, the_sop

#: Selects of the filter bar that mean something here: the steps are all on the page.
SELECTS: Final = ("channel", "category", "kecamatan")
TRY: Final = "std_"


@dataclass(frozen=True)
class Tried:
    """The standards of one request: what was understood, what was typed, what is wrong with it."""

    minutes: dict[str, int]
    typed: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


class LivingSopView(BaseView):  # type: ignore[misc]
    """The sheet beside what really happened; a head of department's first page."""

    route_base = "/sop/hidup"
    class_permission_name = "StepChart"
    default_view = "show"

    @expose("/", methods=["GET"])
    @has_access
    @permission_name("chart")
    def show(self) -> ResponseReturnValue:
        """The page; with `std_<step>` in the address other standards are tried on the past."""
        return self._page(read_tried(the_sop(), request.args))

    @expose("/publish", methods=["POST"])
    @has_access
    @permission_name("chart")
    @fresh_sign_in
    def publish(self) -> ResponseReturnValue:
        """First what would change, then, confirmed, the change itself."""
        actor = current_actor()
        actor.require("can_edit", "SopStep")
        tried = read_tried(the_sop(), request.form)
        if tried.errors:
            return self._page(tried)
        session = db.session()
        bar = read_filter(session, request.form, local(request_time()).date())
        scope = bar.without("step").chosen
        living = load_living(session, the_sop(), scope, tried.minutes)
        if request.form.get("confirmed") != "1":
            if not living.changed:
                flash(_("No standard was changed, so there is nothing to publish."), "warning")
                return self._page(tried)
            return render_template(
                "aduan/living_sop_publish.html",
                title=_("Publish the new standard?"),
                living=living,
                period_words=period_words(scope),
                hidden={**_kept(bar), **_hidden(living)},
                back=self._address(bar, tried),
                appbuilder=self.appbuilder,
            )
        changes = {
            key: (_whole(request.form.get(f"old_{key}", "")), wanted)
            for key, wanted in tried.minutes.items()
            if f"old_{key}" in request.form
        }
        try:
            labels = publish_standards(session, actor, changes)
            session.commit()
        except SopError as error:
            session.rollback()
            flash(error_sentence(error), "danger")
            return redirect(self._address(bar, tried), 303)
        done = ngettext(
            "New standard of %(num)d step published: %(steps)s. It counts for cases that enter the"
            " step from now on.",
            "New standards of %(num)d steps published: %(steps)s. They count for cases that enter"
            " these steps from now on.",
            len(labels),
            steps=", ".join(labels),
        )
        flash(done, "success")
        return redirect(self._address(bar, Tried({})), 303)

    def _page(self, tried: Tried) -> ResponseReturnValue:
        session, sop = db.session(), the_sop()
        source: Mapping[str, str] = request.form if request.method == "POST" else request.args
        bar = read_filter(session, source, local(request_time()).date())
        scope = bar.without("step").chosen
        living = load_living(session, sop, scope, tried.minutes)

        def link(step: str, over: str | None = None) -> str | None:
            return cases_url(bar, "run", step, over=over, step=None)

        def waiting(step: str) -> str | None:
            return cases_url(bar, "open", step, step=None)

        return render_template(
            "aduan/living_sop.html",
            title=_("Living SOP"),
            sop=sop,
            living=living,
            tried=tried,
            bar=bar,
            choices=[item for item in bar.choices if item.name in SELECTS],
            period_words=period_words(scope),
            headline=headline(living),
            cases=sum(row.numbers.cases for row in living.rows),
            url=lambda **changes: url_for("LivingSopView.show", **bar.url_values(**changes)),
            reset_url=url_for("LivingSopView.show"),
            kept=_kept(bar),
            hidden={**_kept(bar), **_hidden(living)},
            link=link,
            waiting=waiting,
            may_publish=("can_edit", "SopStep") in current_permissions(),
            limits=(LEAST_MINUTES, MOST_MINUTES),
            data=_data(living),
            appbuilder=self.appbuilder,
        ), (422 if tried.errors else 200)

    def _address(self, bar: FilterBar, tried: Tried) -> str:
        values = {f"{TRY}{key}": str(wanted) for key, wanted in tried.minutes.items()}
        return url_for("LivingSopView.show", **_kept(bar), **values)


def read_tried(sop: Sop, source: MultiDict[str, str]) -> Tried:
    """The standards to be tried; an empty field asks for none, a wrong one is named beside it."""
    tried = Tried({})
    for step in sop.clock_steps:
        text = source.get(f"{TRY}{step.key}", "").strip()
        if not text:
            continue
        tried.typed[step.key] = text[:10]
        wanted = _whole(text)
        if wanted is None or not LEAST_MINUTES <= wanted <= MOST_MINUTES:
            tried.errors[step.key] = _(
                "A whole number of minutes from %(least)s to %(most)s.",
                least=LEAST_MINUTES,
                most=MOST_MINUTES,
            )
        elif not can_be_tried(wanted):
            tried.errors[step.key] = _("Above two hours in steps of five minutes.")
        else:
            tried.minutes[step.key] = wanted
    return tried


def headline(living: Living) -> dict[str, str]:
    """The answer to "which step is slow?" in a sentence, and its tone."""
    slowest = living.slowest
    if slowest is None:
        return {}
    numbers = slowest.numbers
    values = {
        "step": str(numbers.label),
        "median": minutes(numbers.work_median),
        "standard": number(numbers.standard_minutes),
        "share": percent(numbers.within_share),
    }
    if (numbers.median_share or 0) > 1:
        text = _(
            "%(step)s is the slow step: half of the cases take longer than %(median)s min, the"
            " standard is %(standard)s min. %(share)s keep to it.",
            **values,
        )
        tone = "warn"
    else:
        text = _(
            "Every step keeps to its standard in the median; closest to it is %(step)s with"
            " %(median)s of %(standard)s min.",
            **values,
        )
        tone = "ok"
    waits = living.longest_wait
    if waits is not None:
        text += " " + _("Cases wait longest before %(step)s.", step=str(waits.numbers.label))
    return {"text": text, "tone": tone}


def _kept(bar: FilterBar) -> dict[str, str]:
    """The filter as hidden fields."""
    return bar.url_values(step=None)


def _hidden(living: Living) -> dict[str, str]:
    """Every standard that is tried, and the one that was seen beside it."""
    found: dict[str, str] = {}
    for key, (seen, wanted) in living.changed.items():
        found[f"{TRY}{key}"] = str(wanted)
        found[f"old_{key}"] = "" if seen is None else str(seen)
    return found


def _data(living: Living) -> dict[str, Any]:
    """What the script needs to answer while one types: the classes of each step."""
    return {
        "steps": {
            row.numbers.key: {
                "classes": row.numbers.work_classes,
                "cases": row.numbers.cases,
                "standard": row.numbers.standard_minutes,
            }
            for row in living.rows
        },
        "words": {
            "range": _(
                "A whole number of minutes from %(least)s to %(most)s.",
                least=LEAST_MINUTES,
                most=MOST_MINUTES,
            ),
            "five": _("Above two hours in steps of five minutes."),
            "would": _("%(share)s would have kept to it", share="{share}"),
            "total": _("%(minutes)s min", minutes="{minutes}"),
        },
        "most": MOST_MINUTES,
    }


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None
