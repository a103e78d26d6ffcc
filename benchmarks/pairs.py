"""The operations that are measured against their floor: one declaration each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseOutput, Category, Channel, Complaint, Region
from app.services.calendar import OFFICE_ZONE
from app.services.charts.trend import grain_of
from app.services.statistics import Asked, Scope
from app.services.statistics.reading import cover_of, statement_of
from app.services.statistics.scope import stretches_by
from benchmarks.floor_charts import ONLY
from benchmarks.load import Loaded
from benchmarks.versus import Pair, Statement

#: Page 1000 of 25 rows; a smaller office has its middle there.
DEEP: Final = 1_000
PARTS: Final = ("groho", "wulan", "bamb", "saput", "yuni")

_ROW: Final = (
    "SELECT c.id, c.number, c.applicant_name, g.label_id, s.label_id, u.first_name, u.last_name,"
    " c.received_at, c.class_due, c.closed_at FROM complaint c JOIN category g ON g.id = c.category_id"
    " JOIN sop_step s ON s.key = c.step_key LEFT JOIN ab_user u ON u.id = c.assignee_id"
)
_NEWEST: Final = " ORDER BY c.received_at DESC, c.id DESC LIMIT 25"
#: What the page of a case shows, each part by one statement.
_CASE: Final = (
    "SELECT c.id, c.number, c.applicant_name, c.nik, c.kk_number, c.sex, c.phone, c.email, c.address,"
    " v.name, k.name, c.handle, c.received_at, c.registered_at, r.first_name || ' ' || r.last_name,"
    " c.text, c.answer, c.step_since, c.completeness_due, c.class_due, c.decision_due, g.label_id,"
    " h.label_id, s.label_id, u.first_name || ' ' || u.last_name FROM complaint c"
    " JOIN category g ON g.id = c.category_id JOIN channel h ON h.id = c.channel_id"
    " JOIN sop_step s ON s.key = c.step_key LEFT JOIN region v ON v.code = c.region_code"
    " LEFT JOIN region k ON k.code = c.kecamatan_code LEFT JOIN ab_user u ON u.id = c.assignee_id"
    " LEFT JOIN ab_user r ON r.id = c.registered_by_id WHERE c.id = ?",
    "SELECT label_id, actor FROM sop_step WHERE clock ORDER BY position",
    "SELECT k.label_id, q.required, q.state, q.note FROM requirement_check q"
    " JOIN document_kind k ON k.id = q.kind_id WHERE q.complaint_id = ? ORDER BY q.position",
    "SELECT draft_reference, checked_at, result, note FROM siak_check WHERE complaint_id = ?"
    " ORDER BY id",
    "SELECT k.label_id, o.reference, p.number, p.result, p.printed_at, u.first_name, u.last_name"
    " FROM case_output o JOIN document_kind k ON k.id = o.kind_id"
    " LEFT JOIN print_run p ON p.output_id = o.id LEFT JOIN ab_user u ON u.id = p.printed_by_id"
    " WHERE o.complaint_id = ? ORDER BY o.id",
    "SELECT d.id, d.status, r.name, d.tracking_number, d.sent_at, d.recipient, d.address,"
    " d.received_by, d.delivered_at FROM dispatch d JOIN courier r ON r.id = d.courier_id"
    " WHERE d.complaint_id = ? ORDER BY d.id",
    "SELECT d.public_id, d.stage, k.label_id, d.original_name, d.size, d.uploaded_at, u.first_name,"
    " u.last_name FROM document d LEFT JOIN document_kind k ON k.id = d.kind_id"
    " LEFT JOIN ab_user u ON u.id = d.uploaded_by_id WHERE d.complaint_id = ? ORDER BY d.id",
    "SELECT e.kind, e.transition, e.at, e.by_name, f.label_id, t.label_id, r.wait_seconds,"
    " r.work_seconds, r.standard_minutes FROM case_event e LEFT JOIN sop_step f ON f.key = e.from_step"
    " LEFT JOIN sop_step t ON t.key = e.to_step LEFT JOIN step_run r"
    " ON r.complaint_id = e.complaint_id AND r.finished_at = e.at AND r.step_key = e.from_step"
    " WHERE e.complaint_id = ? ORDER BY e.id",
)


def pairs_for(office: Loaded, moves: int) -> list[Pair]:
    """All of them, over the cases that are there; `moves` cases are set aside for the transition."""
    with Session(office.engine) as session:
        return [*_cases(office, session, moves), *_charts(office, session)]


def _cases(office: Loaded, session: Session, moves: int) -> Iterator[Pair]:
    lite = office.backend == "sqlite"
    visible = "NOT c.confidential" if not lite else "c.confidential = 0"
    some = [max(1, office.cases * part // 9) for part in range(1, 9)]
    rows = session.execute(
        select(
            Complaint.id,
            Complaint.number,
            Complaint.nik,
            Complaint.nik_digest,
            Complaint.received_at,
        ).where(Complaint.id.in_(some))
    ).all()
    deep = min(DEEP, office.cases // 50)
    before = session.execute(
        select(Complaint.received_at, Complaint.id)
        .order_by(Complaint.received_at.desc(), Complaint.id.desc())
        .offset(deep * 25 - 1)
        .limit(1)
    ).one()
    edge = (_moment(before[0], lite), before[1])
    category = session.scalars(select(Category.id).where(Category.code == "KK")).one()
    done = _ids(session, Complaint.step_key == "done", 20)
    named = (
        select(CaseOutput.id)
        .where(CaseOutput.complaint_id == Complaint.id, CaseOutput.round == Complaint.round)
        .exists()
    )
    waiting = _ids(session, (Complaint.step_key == "certification") & named, moves)
    url = "/complaints/list/"
    petugas = "petugas"
    yield Pair("list, first page", petugas, [url], [_rows("")])
    yield Pair(
        f"list, page {deep:,}", petugas, [f"{url}?page_ComplaintView={deep - 1}"],
        [_rows("(c.received_at, c.id) < (?, ?)", [edge])], follow=deep,
    )  # fmt: skip
    yield Pair(
        # An address that names no row: whoever answers it counts the rows before the page off.
        f"list, page {deep:,} by its number", petugas, [f"{url}?page_ComplaintView={deep}"],
        [_rows("", skip=deep * 25)],
    )  # fmt: skip
    yield Pair(
        "search a number", petugas, [f"{url}?q={row.number}" for row in rows],
        [_rows("c.number = ?", [[row.number] for row in rows])],
    )  # fmt: skip
    yield Pair(
        "search part of a name", petugas, [], [_by_name(25, "cases")], words=PARTS,
    )  # fmt: skip
    yield Pair(
        "box, a number", petugas, [],
        [_rows("c.number = ?", [[row.number] for row in rows], "hits")],
        box=[row.number for row in rows],
    )  # fmt: skip
    yield Pair(
        "box, a NIK", petugas, [],
        [_rows("c.nik_digest = ?", [[{"hex": row.nik_digest.hex()}] for row in rows], "hits")],
        box=[row.nik for row in rows],
    )  # fmt: skip
    yield Pair("box, part of a name", petugas, [], [_by_name(8, "hits")], box=PARTS)
    yield Pair(
        "filter a step", petugas, [f"{url}?_flt_0_step=signing"],
        [_rows("c.step_key = 'signing'")],
    )  # fmt: skip
    yield Pair(
        "filter a category", petugas, [f"{url}?_flt_0_category={category}"],
        [_rows("c.category_id = ?", [[category]])],
    )  # fmt: skip
    yield Pair(
        "one case", petugas, [f"/complaints/show/{pk}" for pk in done],
        [
            Statement(sql, [[pk] for pk in done] if "?" in sql else (), page="case")
            for sql in _CASE
        ],
    )  # fmt: skip
    yield Pair("one transition", "subkoordinator", [], [], goal=2.0, moves=waiting)
    yield Pair(
        "documents", petugas, ["/documents/list/"],
        [Statement(
            "SELECT d.id, d.original_name, d.stage, d.uploaded_at, k.label_id, c.number, c.id, d.size,"
            " u.first_name, u.last_name FROM document d JOIN complaint c ON c.id = d.complaint_id"
            " LEFT JOIN document_kind k ON k.id = d.kind_id LEFT JOIN ab_user u ON u.id = d.uploaded_by_id"
            f" WHERE {visible} ORDER BY d.uploaded_at DESC, d.id DESC LIMIT 25",
            page="files",
        )],
    )  # fmt: skip
    yield Pair(
        "dispatches", petugas, ["/dispatches/list/"],
        [Statement(
            "SELECT d.id, d.tracking_number, c.id, c.number, r.name, d.recipient, d.sent_at, d.status,"
            " d.delivered_at FROM dispatch d JOIN courier r ON r.id = d.courier_id"
            " JOIN complaint c ON c.id = d.complaint_id"
            f" WHERE {visible} ORDER BY d.sent_at DESC, d.id DESC LIMIT 25",
            page="parcels",
        )],
    )  # fmt: skip
    yield Pair("queue", "operator", ["/queue/"], _queue(lite))


def _queue(lite: bool) -> list[Statement]:
    """What the home of an operator shows: his cases, how many stand and left where, the pauses."""
    midnight = datetime.now(OFFICE_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    steps = "('siak_check', 'printing')"
    return [
        Statement(
            "SELECT r.id, r.step_key, r.entered_at, r.started_at, r.standard_minutes, c.id, c.number,"
            " c.applicant_name, c.class_due, c.decision_due, c.round, g.label_id, u.first_name,"
            " u.last_name, s.label_id FROM (SELECT id FROM complaint WHERE closed_at IS NULL"
            f" AND step_key IN {steps} ORDER BY step_since LIMIT 50) k JOIN complaint c ON c.id = k.id"
            " JOIN step_run r ON r.complaint_id = c.id AND r.finished_at IS NULL"
            " JOIN category g ON g.id = c.category_id JOIN sop_step s ON s.key = r.step_key"
            " LEFT JOIN ab_user u ON u.id = c.assignee_id ORDER BY c.step_since",
            page="queue",
        ),
        Statement(
            "SELECT step_key, count(*) FROM complaint WHERE closed_at IS NULL AND step_key IN"
            " ('intake', 'siak_check', 'certification', 'signing', 'printing', 'dispatch',"
            " 'returned') GROUP BY step_key"
        ),
        Statement(
            "SELECT step_key, count(*) FROM step_run WHERE finished_at >= ? GROUP BY step_key",
            [[_moment(midnight, lite)]],
        ),
        Statement(
            "SELECT step_run_id, step_key, reason, note, from_at, to_at FROM pause"
            f" WHERE to_at IS NULL AND step_key IN {steps}"
        ),
    ]


def _rows(
    condition: str, params: Sequence[Sequence[Any]] = (), page: str = "cases", *, skip: int = 0
) -> Statement:
    """The newest cases under a condition, with what a list or the box shows of them.

    `skip` are counted off in the index alone before any row is read.
    """
    if skip:
        keys = f"SELECT c.id FROM complaint c{_NEWEST} OFFSET {skip}"
        condition = f"c.id IN ({keys})"
    return Statement(f"{_ROW}{condition and f' WHERE {condition}'}{_NEWEST}", params, page=page)


def _by_name(most: int, page: str) -> Statement:
    """Part of a name: along the newest cases, by the words of each.

    Two of a hundred have it, so some thousand cases fill a page; from the words on, all of them
    would be found and sorted first, which took SQLite 0.4 s of a million.
    """
    held = "SELECT 1 FROM case_word w WHERE w.complaint_id = c.id AND w.word LIKE ?"
    newest = _NEWEST.replace("25", str(most))
    return Statement(
        f"{_ROW} WHERE EXISTS ({held}){newest}", [[f"%{part}%"] for part in PARTS], page=page
    )


def _charts(office: Loaded, session: Session) -> Iterator[Pair]:
    """Every chart and the living SOP, for a month and for five years."""
    today = datetime.now(UTC).date()
    month = (today - timedelta(days=29), today)
    years = (today - timedelta(days=5 * 365), today)
    for label, (first, last), steady in (("a month", month, True), ("five years", years, False)):
        period = f"from={first}&to={last}"
        for name, address, shape, others in CHARTS:
            if not _there(office, address):
                continue
            cells = _cells(session, shape, Scope(first, last), today)
            yield Pair(
                f"{name}, {label}", "kepalabidang", [f"{address}?{period}"],
                [cells, *map(Statement, others)], steady=steady,
            )  # fmt: skip


_NOW: Final = (
    "SELECT step_key, count(*), sum(CASE WHEN started_at IS NULL THEN 1 ELSE 0 END) FROM step_run"
    " WHERE finished_at IS NULL GROUP BY step_key"
)
_STEPS: Final = "SELECT key, label_id, standard_minutes FROM sop_step WHERE clock ORDER BY position"
_OPEN: Final = "SELECT {0}, count(*) FROM complaint WHERE closed_at IS NULL GROUP BY {0}"
#: Name, address, how its cells are drawn, and what stands beside them on the page.
CHARTS: Final = (
    ("chart: steps", "/charts/steps/", "steps", (_NOW, _STEPS)),
    ("chart: wait and work", "/charts/waits/", "waits", (_NOW, _STEPS)),
    ("chart: trend by week", "/charts/trend/", "weeks", ()),
    ("chart: arrivals", "/charts/arrivals/", "hours", ()),
    (
        "chart: returns", "/charts/returns/", "returns",
        ("SELECT code, label_id FROM document_kind",),
    ),
    (
        "chart: channels", "/charts/channels/", "sorts channel",
        (_OPEN.format("channel_id"), "SELECT id, label_id FROM channel"),
    ),
    (
        "chart: categories", "/charts/categories/", "sorts category",
        (_OPEN.format("category_id"), "SELECT id, label_id FROM category"),
    ),
    (
        "chart: kecamatan", "/charts/kecamatan/", "sorts kecamatan",
        (
            _OPEN.format("kecamatan_code"),
            "SELECT code, name FROM region WHERE kind = 'kecamatan'",
        ),
    ),
    ("chart: rounds", "/charts/rounds/", "rounds", ()),
    ("chart: delivery", "/charts/delivery/", "couriers", ("SELECT id, name FROM courier",)),
    (
        "chart: load per role", "/charts/roles/", "lanes",
        (_NOW, "SELECT key, actor FROM sop_step WHERE clock ORDER BY position"),
    ),
    ("chart: legal dates", "/charts/due/", "dates", ()),
    ("SOP Hidup", "/sop/hidup/", "living", (_NOW, _STEPS)),
)  # fmt: skip
#: What each way of drawing reads of the roll-up; `ahead` are legal dates still to come.
SERIES: Final = {
    "weeks": "run arrival ended",
    "hours": "arrival",
    "returns": "return",
    "sorts": "arrival ended due ahead",
    "rounds": "ended",
    "couriers": "parcel delivery",
    "dates": "due ahead",
}


def _there(office: Loaded, address: str) -> bool:
    return any(rule.rule == address for rule in office.app.url_map.iter_rules())


def _cells(session: Session, drawn: str, scope: Scope, today: date) -> Statement:
    """The bare read of the cells, as the service composes it, with its values written in."""
    shape, _space, split = drawn.partition(" ")
    series = SERIES.get(shape, "run").split()
    asked = [
        Asked("due" if one == "ahead" else one, scope, *ONLY.get(shape, {}).get(one, ((), None)))
        for one in series
    ]
    if "ahead" in series:
        at = series.index("ahead")
        asked[at] = asked[at]._replace(scope=scope.during(today, scope.last))
    pieces = [cover_of(one.scope) for one in asked]
    if shape == "weeks":
        grain = grain_of(scope)
        weeks = tuple(piece for _start, piece in stretches_by(grain, scope.first, scope.last))
        pieces = [weeks] * len(asked)
        shape = f"weeks {grain}"
    values = _values(session, split) if split else None
    statement = statement_of(asked, pieces, split, values=values, dated=shape.startswith("weeks"))
    sql = statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    return Statement(str(sql), shape=shape)


def _values(session: Session, dim: str) -> list[str]:
    key = {"channel": Channel.id, "category": Category.id}.get(dim)
    named = select(Region.code).where(Region.kind == "kecamatan") if key is None else select(key)
    return [str(value) for value in session.scalars(named)] + [""]


def _ids(session: Session, condition: Any, most: int) -> list[int]:
    statement = select(Complaint.id).where(condition, Complaint.confidential.is_(False))
    return list(session.scalars(statement.order_by(Complaint.id.desc()).limit(most)))


def _moment(moment: datetime, lite: bool) -> str:
    plain = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{plain.isoformat(' ')}.000000" if lite else moment.isoformat()
