"""Complaints for tests, made only through the services: real facts, real files, any step."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    CaseOutput,
    Category,
    Channel,
    Complaint,
    Courier,
    Document,
    DocumentKind,
    Region,
)
from app.services.actor import Actor
from app.services.casework import (
    OutputInput,
    SiakResult,
    name_outputs,
    proposed_outputs,
    record_siak,
    save_answer,
)
from app.services.complaints import (
    CheckInput,
    ComplaintData,
    Registration,
    register_complaint,
    save_checks,
)
from app.services.dispatching import Parcel, create_dispatch
from app.services.facts import current_checks, current_outputs
from app.services.signature import keep_signed
from app.services.storage import Store
from app.services.transitions import Office, apply_transition
from app.services.uploads import Stage, attach_staged, stage_upload
from tests.support import samples, signed
from tests.support.panel import ACTOR_OF

ActorOf = Callable[[str], Actor]

#: The way of a case through the office's sheet, to every place it can be in.
PATHS: Final[dict[str, tuple[str, ...]]] = {
    "intake": (),
    "siak_check": ("verify_file",),
    "certification": ("verify_file", "siak_match"),
    "signing": ("verify_file", "siak_match", "submit_certification"),
    "printing": ("verify_file", "siak_match", "submit_certification", "sign"),
    "dispatch": ("verify_file", "siak_match", "submit_certification", "sign", "confirm_printed"),
    "done": (
        "verify_file",
        "siak_match",
        "submit_certification",
        "sign",
        "confirm_printed",
        "send",
    ),
    "returned": ("request_completion",),
    "resolved": ("verify_file", "resolve_without_document"),
    "withdrawn": ("request_completion", "withdraw"),
}
DEFAULT_CATEGORY: Final = "BEDA_DATA"
ANSWERED_CATEGORY: Final = "NIK_TIDAK_AKTIF"
_MINUTES_APART: Final = timedelta(minutes=3)


@cache
def _photo() -> bytes:
    return samples.jpeg()


@cache
def _scan() -> bytes:
    return samples.pdf()


class CaseMaker:
    """`make_case("signing")`: a complaint that was worked up to a step by the officers themselves.

    Times lie two days back and three minutes apart, unless `at` says when it was received.
    """

    def __init__(self, session: Session, office: Office, store: Store, actor: ActorOf) -> None:
        self.session, self.office, self.store, self.actor = session, office, store, actor
        self.start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
        self._times: dict[int, datetime] = {}
        self._serial = itertools.count(1)

    def __call__(
        self,
        step: str = "intake",
        *,
        category: str | None = None,
        at: datetime | None = None,
        by: str = "petugas",
        checked: bool = True,
        files: bool = True,
        path: Sequence[str] | None = None,
        **facts: Any,
    ) -> Complaint:
        """A committed complaint in `step`; `facts` are columns of the registration form.

        `path` names the transitions when the usual way to the step is not the wanted one.
        `checked=False` leaves the completeness list unticked, `files=False` the papers off.
        """
        if category is None:
            category = ANSWERED_CATEGORY if step == "resolved" else DEFAULT_CATEGORY
        case = self.register(category=category, at=at, by=by, **facts)
        if checked:
            self.check(case, by=by)
        if files:
            self.add_papers(case, by=by)
        for key in PATHS[step] if path is None else path:
            self.record_facts(case, key)
            self.move(case, key)
        self.session.commit()
        return case

    # --- pieces, for tests that go their own way ---

    def now(self, case: Complaint) -> datetime:
        """The moment of the next thing that happens to a case."""
        self._times[case.id] = self._times[case.id] + _MINUTES_APART
        return self._times[case.id]

    def set_next(self, case: Complaint, moment: datetime) -> None:
        """Let the next thing that happens to a case happen at `moment`."""
        self._times[case.id] = moment - _MINUTES_APART

    def data(self, *, category: str = DEFAULT_CATEGORY, **facts: Any) -> ComplaintData:
        """What the registration form would bring; every value can be changed."""
        number = next(self._serial)
        values: dict[str, Any] = {
            "channel_id": self.id_of(Channel, "whatsapp"),
            "category_id": self.id_of(Category, category),
            "received_at": self.start,
            "applicant_name": f"Pemohon Contoh {number}",
            "text": "Nama di KK berbeda dengan nama di akta kelahiran.",
            "nik": f"33250112039{number:05d}"[:16],
            "phone": "+6281234567890",
            "address": "Jl. Contoh No. 1",
            "kecamatan_code": self._kecamatan(),
            **facts,
        }
        return ComplaintData(**values)

    def register(
        self, *, category: str = DEFAULT_CATEGORY, at: datetime | None = None, by: str, **facts: Any
    ) -> Complaint:
        """Write a complaint down; nothing is checked yet."""
        begun = at or self.start
        data = self.data(category=category, **{"received_at": begun, **facts})
        case = register_complaint(
            self.session, self.office, Registration(data, begun), self.actor(by), now=begun
        )
        self._times[case.id] = begun
        return case

    def check(self, case: Complaint, by: str = "petugas", **states: str) -> None:
        """Tick the open papers: all present, but for those whose code `states` names."""
        inputs = [
            CheckInput(item.kind_id, states.get(item.kind.code, "present"))
            for item in current_checks(self.session, case)
            if (item.required or item.kind.code in states) and (case.round == 1 or item.reopened)
        ]
        save_checks(self.session, self.office, case, inputs, self.actor(by), now=self.now(case))

    def add_papers(self, case: Complaint, by: str = "petugas") -> list[Document]:
        """A file for each required paper, a photo and a scan by turns."""
        kinds = [item.kind for item in current_checks(self.session, case) if item.required]
        return [
            self.attach(case, "requirement", by, kind=kind, scan=bool(index % 2))
            for index, kind in enumerate(kinds)
        ]

    def attach(
        self,
        case: Complaint,
        stage: Stage,
        by: str,
        *,
        kind: DocumentKind | None = None,
        output_id: int | None = None,
        scan: bool = False,
    ) -> Document:
        """One uploaded file on the case."""
        user_id, now = self.actor(by).id or 0, self.now(case)
        staged = stage_upload(
            self.session,
            self.store,
            user_id=user_id,
            filename=f"{stage}.pdf" if scan else f"{stage}.jpg",
            data=_scan() if scan else _photo(),
            now=now,
        )
        return attach_staged(
            self.session,
            staged,
            complaint=case,
            stage=stage,
            kind_id=kind.id if kind else None,
            output_id=output_id,
            user_id=user_id,
            now=now,
        )

    def sign(self, case: Complaint, output: CaseOutput, by: str = "kepala") -> Document:
        """The signed form of a paper, with a real signature of the test authority."""
        return keep_signed(
            self.session,
            self.store,
            signed.trust(),
            signed.signed_pdf(),
            name="signed.pdf",
            complaint=case,
            output=output,
            user_id=self.actor(by).id or 0,
            now=self.now(case),
        )

    def record_facts(self, case: Complaint, key: str) -> None:
        """Record what the transition `key` asks for, as its work form would."""
        record = getattr(self, f"_before_{key}", None)
        if record is not None:
            record(case)
        self.session.flush()

    def move(
        self, case: Complaint, key: str, by: str | None = None, reason: str | None = None
    ) -> None:
        """Make one transition by the officer of its lane."""
        move = self.office.sop.move(case.step_key, key)
        actor = self.actor(by or ACTOR_OF[move.actor])
        if reason is None:
            reason = "Alasan uji" if move.reason else ""
        apply_transition(
            self.session, self.office, case, key, actor, now=self.now(case), reason=reason
        )

    def id_of(self, model: type[Any], code: str) -> int:
        """The id of a reference row."""
        return int(self.session.scalars(select(model.id).where(model.code == code)).one())

    # --- facts of each transition ---

    def _before_verify_file(self, case: Complaint) -> None:
        checks = current_checks(self.session, case)
        if any(item.required and item.state != "present" for item in checks):
            self.check(case)

    def _before_request_completion(self, case: Complaint) -> None:
        open_items = (
            item
            for item in current_checks(self.session, case)
            if item.required and (case.round == 1 or item.reopened)
        )
        first = next(open_items, None)
        if first is not None:  # in a later round perhaps nothing was asked for again
            self.check(case, **{first.kind.code: "unreadable"})

    def _before_siak_match(self, case: Complaint) -> None:
        self._siak(case, SiakResult("match", draft_reference="DRAFT-001"))

    def _before_siak_mismatch(self, case: Complaint) -> None:
        self._siak(case, SiakResult("mismatch", differences=("Nama",)))

    def _siak(self, case: Complaint, result: SiakResult) -> None:
        actor = self.actor("operator")
        record_siak(self.session, self.office, case, result, actor, now=self.now(case))

    def _before_resolve_without_document(self, case: Complaint) -> None:
        answer, actor = "NIK sudah aktif kembali.", self.actor("operator")
        save_answer(self.session, self.office, case, answer, actor)

    def _before_submit_certification(self, case: Complaint) -> None:
        wanted = proposed_outputs(self.session, case) or [
            OutputInput(self.id_of(DocumentKind, "surat_keterangan"))
        ]
        actor = self.actor("subkoordinator")
        name_outputs(self.session, self.office, case, wanted, actor, now=self.now(case))

    def _before_submit_ktp_print(self, case: Complaint) -> None:
        case.needs_first_ktp = True
        self._before_submit_certification(case)

    def _before_sign(self, case: Complaint) -> None:
        for output in current_outputs(self.session, case):
            if output.kind.needs_signature:
                self.sign(case, output)

    def _before_send(self, case: Complaint) -> None:
        proof = self.attach(case, "proof", "petugas")
        parcel = Parcel(
            courier_id=self.id_of(Courier, "pos"),
            tracking_number=f"P{next(self._serial):013d}",
            recipient=case.applicant_name,
            address=case.address,
            phone=case.phone,
        )
        actor = self.actor("petugas")
        create_dispatch(self.session, self.office, case, parcel, proof, actor, now=self.now(case))

    def _kecamatan(self) -> str:
        statement = select(Region.code).where(Region.kind == "kecamatan").order_by(Region.code)
        return str(self.session.scalars(statement.limit(1)).one())
