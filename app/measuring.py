"""Numbers for Prometheus: requests as they are answered, and the office when somebody asks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import event, func, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.extensions import db, may_write
from app.limits import redis_answers
from app.models import AuditEvent, Complaint, Message, ReportJob, SopStep, StepRun

if TYPE_CHECKING:
    from prometheus_client import Metric

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_STATEMENTS: Final = (0, 2, 4, 6, 8, 10, 15, 20, 30, 50, 100)
#: Statements of the request that runs in this context.
_counted: Final[ContextVar[list[int] | None]] = ContextVar("statements", default=None)


def registry_of(app: Flask) -> CollectorRegistry:
    """The numbers of this application in this process."""
    registry: CollectorRegistry = app.extensions["metrics"]
    return registry


def install(app: Flask) -> None:
    """Count each request, unless nobody is allowed to look."""
    registry = app.extensions["metrics"] = CollectorRegistry()
    if not app.config["METRICS_TOKEN"] and not app.config["METRICS_ADDRESSES"]:
        return
    names = ("endpoint", "method")
    answered = Counter("aduan_requests", "Requests answered", (*names, "status"), registry=registry)
    seconds = Histogram(
        "aduan_request_seconds", "Time of a request", names, buckets=_SECONDS, registry=registry
    )
    statements = Histogram(
        "aduan_request_statements", "SQL statements of a request", names,
        buckets=_STATEMENTS, registry=registry,
    )  # fmt: skip
    if not event.contains(Engine, "before_cursor_execute", _count):
        event.listen(Engine, "before_cursor_execute", _count)

    @app.before_request
    def begin() -> None:
        g.measured_from = time.perf_counter()
        _counted.set([0])

    @app.after_request
    def end(response: Any) -> Any:
        # Without an endpoint all that does not exist is one.
        labels = (request.endpoint or "none", request.method)
        answered.labels(*labels, str(response.status_code)).inc()
        counted = _counted.get()
        if "measured_from" in g:
            seconds.labels(*labels).observe(time.perf_counter() - g.measured_from)
        if counted is not None:
            statements.labels(*labels).observe(counted[0])
            _counted.set(None)
        return response


def _count(*_given: Any) -> None:
    counted = _counted.get()
    if counted is not None:
        counted[0] += 1


class OfficeCollector:
    """How much waits, read when it is asked for; every process answers the same."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def describe(self) -> list[Metric]:
        """Nothing is asked before somebody looks."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The gauges; without a database there is one that says so."""
        up = GaugeMetricFamily("aduan_database_up", "Whether the database answers")
        mark = may_write.set(False)
        try:
            with self.app.app_context(), Session(db.engine) as session:
                found = list(_office(session))
            up.add_metric([], 1)
        except SQLAlchemyError:
            found = []
            up.add_metric([], 0)
        finally:
            may_write.reset(mark)
        yield up
        answers = redis_answers(self.app)
        if answers is not None:
            yield GaugeMetricFamily(
                "aduan_redis_up", "Whether Redis answers; without it each process counts tries alone",
                value=float(answers),
            )  # fmt: skip
        yield from found


def _office(session: Session) -> Iterator[Metric]:
    now = datetime.now(UTC)
    queue = GaugeMetricFamily("aduan_open_cases", "Cases that stand in a step", labels=["step"])
    for step, count in session.execute(
        select(SopStep.key, func.count(Complaint.id))
        .outerjoin(Complaint, Complaint.step_key == SopStep.key)
        .where(SopStep.kind != "end")
        .group_by(SopStep.key)
    ):
        queue.add_metric([step], count)
    yield queue
    work = GaugeMetricFamily(
        "aduan_step_work_seconds",
        "Office seconds of work in a step, mean of a day",
        labels=["step"],
    )
    since = now - timedelta(days=1)
    for step, mean in session.execute(
        select(StepRun.step_key, func.avg(StepRun.work_seconds))
        .where(StepRun.finished_at >= since)
        .group_by(StepRun.step_key)
    ):
        work.add_metric([step], float(mean or 0))
    yield work
    outbox = select(func.count(), func.min(Message.created_at)).where(
        Message.state == "queued", Message.way == "email"
    )
    count, oldest = session.execute(outbox).one()
    yield GaugeMetricFamily("aduan_outbox_waiting", "E-mails that wait", value=count)
    yield GaugeMetricFamily(
        "aduan_outbox_oldest_seconds", "Age of the oldest of them", value=_age(now, oldest)
    )
    reports = select(func.count()).where(ReportJob.state.in_(("queued", "running")))
    yield GaugeMetricFamily(
        "aduan_reports_waiting", "Reports asked for and not made", value=session.scalar(reports)
    )
    last = session.scalar(select(func.max(AuditEvent.id))) or 0
    yield GaugeMetricFamily("aduan_audit_rows", "Rows of the audit log", value=last)


def _age(now: datetime, then: datetime | None) -> float:
    return max(0.0, (now - then).total_seconds()) if then else 0.0
