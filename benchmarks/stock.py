"""A stock Flask-AppBuilder panel over the same newest cases: what the first load is compared with.

Nothing of ours but the rows: FAB's own templates, theme, list widget and static files, as its
documentation has a new project begin. Nothing of ours is imported either, or its listeners would
be there.
"""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from flask import Flask
from flask_appbuilder import AppBuilder, Model, ModelView
from flask_appbuilder.models.sqla.base import SQLA
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import ForeignKey, String, create_engine, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

#: As many as FAB's list shows on its first page in this comparison, and some more pages.
ROWS: Final = 200
PAGE_SIZE: Final = 25
#: Reads the newest cases as both databases write them.
_NEWEST: Final = (
    "SELECT c.number, c.applicant_name, g.label_id, s.label_id, c.received_at, c.class_due"
    " FROM complaint c JOIN category g ON g.id = c.category_id"
    " JOIN sop_step s ON s.key = c.step_key"
    " ORDER BY c.received_at DESC, c.id DESC LIMIT :most"
)


class _Label:
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(160), unique=True)

    def __repr__(self) -> str:
        return self.name


class StockCategory(_Label, Model):
    """A category by its name."""

    __tablename__ = "stock_category"


class StockStep(_Label, Model):
    """A step by its name."""

    __tablename__ = "stock_step"


class StockComplaint(Model):
    """What our list shows of a complaint."""

    __tablename__ = "stock_complaint"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    applicant_name: Mapped[str] = mapped_column(String(120))
    received_at: Mapped[datetime]
    class_due: Mapped[date]
    category_id: Mapped[int] = mapped_column(ForeignKey("stock_category.id"))
    step_id: Mapped[int] = mapped_column(ForeignKey("stock_step.id"))
    category: Mapped[StockCategory] = relationship()
    step: Mapped[StockStep] = relationship()

    def __repr__(self) -> str:
        return self.number


class StockComplaintView(ModelView):
    """The list as FAB draws it."""

    route_base = "/complaints"
    datamodel = SQLAInterface(StockComplaint)
    list_columns = ("number", "applicant_name", "category", "step", "received_at", "class_due")
    base_order = ("received_at", "desc")
    page_size = PAGE_SIZE


def make_stock() -> Flask:
    """The stock panel in `STOCK_FOLDER`, filled from the database in `BENCH_URL` at its first start."""
    folder = Path(os.environ["STOCK_FOLDER"])
    app = Flask("stock")
    app.config.update(
        SECRET_KEY="signs nothing but the cookies of a benchmark",
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{(folder / 'stock.sqlite').as_posix()}",
        APP_NAME="Stock",
        WTF_CSRF_ENABLED=True,
    )
    db = SQLA(app)
    with app.app_context():
        builder = AppBuilder(app, db.session)
        builder.add_view(StockComplaintView, "Complaints", icon="fa-folder", category="Cases")
        db.create_all()
        if not db.session.query(StockComplaint).count():
            _fill(db, builder)
    return app


def _fill(db: Any, builder: AppBuilder) -> None:
    manager = builder.sm
    manager.add_user(
        "petugas",
        "Petugas",
        "Pengaduan",
        "petugas@example.org",
        manager.find_role("Admin"),
        os.environ["BENCH_PASSWORD"],
    )
    labels: dict[tuple[type[Any], str], Any] = {}

    def label(kind: type[Any], name: str) -> Any:
        found = labels.get((kind, name))
        if found is None:
            found = labels[kind, name] = kind(name=name)
        return found

    with create_engine(os.environ["BENCH_URL"]).connect() as source:
        rows = source.execute(text(_NEWEST), {"most": ROWS}).all()
    for number, name, category, step, received, due in rows:
        case = StockComplaint(number=number, applicant_name=name)
        case.received_at = datetime.fromisoformat(str(received)).replace(tzinfo=None)
        case.class_due = date.fromisoformat(str(due))
        case.category, case.step = label(StockCategory, category), label(StockStep, step)
        db.session.add(case)
    db.session.commit()
