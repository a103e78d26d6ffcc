"""What the officers of the demo office do to a case before each move: the same calls as the pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    BlankStock,
    CaseOutput,
    Category,
    Channel,
    Complaint,
    Courier,
    Dispatch,
    Document,
    DocumentKind,
    RequirementCheck,
)
from app.services.actor import Actor
from app.services.blanks import book
from app.services.calendar import OFFICE_ZONE
from app.services.casework import (
    OutputInput,
    SiakResult,
    name_outputs,
    proposed_outputs,
    record_siak,
    save_answer,
)
from app.services.complaints import CheckInput, save_checks
from app.services.demo_people import Officer
from app.services.demo_plan import Story, chance
from app.services.demo_signing import DemoSigning
from app.services.dispatching import Parcel, create_dispatch
from app.services.facts import current_checks, current_outputs, signed_document
from app.services.prints import record_print
from app.services.storage import Store
from app.services.transitions import Office
from app.services.uploads import Stage, attach_staged, stage_upload
from app.sop.errors import SopError

#: How each courier numbers its parcels; all of them invented, none handed out.
_TRACKING: Final[Mapping[str, str]] = {
    "pos": "P26000000{:05}",
    "jne": "BTGX0000{:05}",
    "jnt": "JP00000{:05}",
    "sicepat": "0000000{:05}",
    "anteraja": "1000000{:05}",
}
#: Blank cards of the demo, and how long before its present day they came.
_BLANKS: Final[Mapping[str, int]] = {"blangko_ktp_el": 16}
_OTHER_BLANKS: Final = 100
_BLANKS_CAME: Final = timedelta(days=70)


@dataclass
class DemoOffice:
    """The demo office at work: its people, its reference data, its sample scans."""

    session: Session
    office: Office
    store: Store
    officers: Sequence[Officer]
    scan: bytes
    paper: bytes
    kinds: Mapping[str, DocumentKind]
    categories: Mapping[str, Category]
    channels: Mapping[str, Channel]
    couriers: Mapping[str, Courier]
    signing: DemoSigning
    #: Files in the store so far, for cleaning up after a failure.
    keys: list[str] = field(default_factory=list)
    #: Names of the files that the present move has brought.
    names: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        session: Session,
        office: Office,
        store: Store,
        officers: Sequence[Officer],
        folder: Path,
        signing: DemoSigning,
    ) -> DemoOffice:
        """Read what the demo needs from the database and the sample scans of a folder."""

        def by_code(model: type[Any]) -> dict[str, Any]:
            return {row.code: row for row in session.scalars(select(model))}

        return cls(
            session,
            office,
            store,
            officers,
            scan=(folder / "contoh-ktp.jpg").read_bytes(),
            paper=(folder / "contoh-kk.pdf").read_bytes(),
            kinds=by_code(DocumentKind),
            categories=by_code(Category),
            channels=by_code(Channel),
            couriers=by_code(Courier),
            signing=signing,
        )

    def who_can(self, permission: str, text: int, view: str = "Complaint") -> Actor:
        """One of the officers with a permission; colleagues take turns by case.

        Raises:
            SopError: nobody has it.
        """
        able = [item.actor for item in self.officers if item.actor.can(permission, view)]
        if not able:
            raise SopError("demo_nobody_can", permission=permission)
        return able[text % len(able)]

    def receive_blanks(self, *, now: datetime) -> None:
        """Cards came in before the first case; the KTP-el ones will soon be gone."""
        actor = self.who_can("can_book", 0, "BlankStock")
        for blank in self.session.scalars(select(BlankStock)):
            at, count = now - _BLANKS_CAME, _BLANKS.get(blank.code, _OTHER_BLANKS)
            note = "Kiriman provinsi"
            book(self.session, blank, "received", count, actor, now=at, note=note)

    def attach(
        self,
        case: Complaint,
        stage: Stage,
        name: str,
        actor: Actor,
        at: datetime,
        *,
        kind_id: int | None = None,
        output_id: int | None = None,
    ) -> Document:
        """Upload a sample file the way a form does and hand it to the case."""
        assert actor.id is not None
        data = self.paper if name.endswith(".pdf") else self.scan
        staged = stage_upload(
            self.session, self.store, user_id=actor.id, filename=name, data=data, now=at
        )
        self.keys.append(staged.storage_key)
        self.names.append(staged.original_name)
        return attach_staged(
            self.session,
            staged,
            complaint=case,
            stage=stage,
            kind_id=kind_id,
            output_id=output_id,
            user_id=actor.id,
            now=at,
        )

    def sign(
        self, case: Complaint, output: CaseOutput, name: str, actor: Actor, at: datetime
    ) -> None:
        """Sign a paper as the head does at the desk, at that moment."""
        document = self.signing.sign(
            self.session, self.store, case, output, self.paper, name, actor, at
        )
        self.keys.append(document.storage_key)
        self.names.append(document.original_name)


@dataclass
class Part:
    """One case on its way: the story, the row, and the officer who acts now."""

    story: Story
    case: Complaint
    actor: Actor
    at: datetime

    @property
    def more(self) -> Mapping[str, Any]:
        """What the story says beyond its moves."""
        return self.story.more


Details = dict[str, object]


def prepare_move(stage: DemoOffice, part: Part, move: str) -> Details:
    """Record what a transition asks for; answers what the history shows beside it."""
    stage.names.clear()
    details = _PREPARE.get(move, _nothing)(stage, part) or {}
    return {**details, "files": list(stage.names)} if stage.names else details


def first_checks(category: Category, story: Story) -> list[CheckInput]:
    """What the officer ticks while registering: nothing yet where the story has not begun."""
    if not story.moves:
        return []
    failed = story.more.get("failed", {})
    welcome = [item for item in category.requirements if not item.required]
    taken = {item.kind_id for item in category.requirements if item.required}
    if welcome and chance(story.text, "welcome").random() < 0.6:
        taken.add(welcome[0].kind_id)
    return [
        CheckInput(item.kind_id, "present")
        for item in category.requirements
        if item.kind_id in taken and item.kind.code not in failed
    ]


def attach_present(
    stage: DemoOffice,
    case: Complaint,
    checks: Sequence[RequirementCheck],
    actor: Actor,
    at: datetime,
) -> None:
    """One scan for each paper that is there: family cards as PDF, the rest as photos."""
    for check in checks:
        code = check.kind.code
        name = f"{code}.pdf" if code.startswith(("kk", "f_", "sptjm")) else f"{code}.jpg"
        stage.attach(case, "requirement", name, actor, at, kind_id=check.kind_id)


def attach_signed(stage: DemoOffice, case: Complaint, actor: Actor, at: datetime) -> None:
    """The signed file of each paper that needs a signature and has none yet."""
    for output in current_outputs(stage.session, case):
        signed = signed_document(output) is not None
        if output.kind.needs_signature and not signed:
            name = f"{output.kind.code}_tte.pdf"
            stage.sign(case, output, name, actor, at)


def _nothing(stage: DemoOffice, part: Part) -> None:
    """Moves that ask for nothing more."""


def _verify_file(stage: DemoOffice, part: Part) -> None:
    """In a later round: the papers asked for again have come."""
    again = [
        check for check in current_checks(stage.session, part.case) if check.state == "unchecked"
    ]
    came = [check for check in again if check.reopened or check.required]
    attach_present(stage, part.case, came, part.actor, part.at)
    save_checks(
        stage.session,
        stage.office,
        part.case,
        [CheckInput(check.kind_id, "present") for check in came],
        part.actor,
        now=part.at,
    )


def _request_completion(stage: DemoOffice, part: Part) -> Details:
    failed = {
        stage.kinds[code].id: tuple(said) for code, said in part.more.get("failed", {}).items()
    }
    save_checks(
        stage.session,
        stage.office,
        part.case,
        [CheckInput(kind, state, note) for kind, (state, note) in failed.items()],
        part.actor,
        now=part.at,
    )
    return {
        "items": [
            {
                "label": check.kind.label_id,
                "label_en": check.kind.label_en,
                "state": check.state,
                "note": check.note,
            }
            for check in current_checks(stage.session, part.case)
            if check.state in ("missing", "unreadable")
        ]
    }


def _siak_match(stage: DemoOffice, part: Part) -> None:
    reference = f"BIO-{part.at:%y%m}-{part.story.text:04}"
    seen = SiakResult("match", draft_reference=reference)
    record_siak(stage.session, stage.office, part.case, seen, part.actor, now=part.at)
    if not part.more.get("unnamed"):
        _name_outputs(stage, part, reference="")


def _siak_mismatch(stage: DemoOffice, part: Part) -> Details:
    asked = [stage.kinds[code] for code in part.more.get("ask_again", ())]
    again = frozenset(kind.id for kind in asked)
    differences = tuple(part.more.get("differences", ()))
    seen = SiakResult("mismatch", differences=differences, ask_again=again)
    record_siak(stage.session, stage.office, part.case, seen, part.actor, now=part.at)
    asked = [kind for kind in stage.kinds.values() if kind.id in again]
    return {
        "differences": list(differences),
        "ask_again": [{"label": kind.label_id, "label_en": kind.label_en} for kind in asked],
    }


def _label(kind: DocumentKind) -> dict[str, str]:
    """A kind in both languages, as the history keeps it."""
    return {"label": kind.label_id, "label_en": kind.label_en}


def _resolve(stage: DemoOffice, part: Part) -> None:
    answer = part.more.get("answer", "Sudah dijelaskan kepada pemohon.")
    save_answer(stage.session, stage.office, part.case, answer, part.actor)


def _submit(stage: DemoOffice, part: Part) -> None:
    year = part.at.astimezone(OFFICE_ZONE).year
    outputs = _name_outputs(stage, part, reference=f"3325/{year}/{part.story.text:04}")
    for output in outputs:
        if not output.documents:
            name = f"{output.kind.code}_draf.pdf"
            stage.attach(part.case, "draft", name, part.actor, part.at, output_id=output.id)


def _name_outputs(stage: DemoOffice, part: Part, *, reference: str) -> list[CaseOutput]:
    codes = part.more.get("outputs")
    if codes:
        wanted = [stage.kinds[code].id for code in codes]
    else:
        wanted = [item.kind_id for item in proposed_outputs(stage.session, part.case)][:1]
    return name_outputs(
        stage.session,
        stage.office,
        part.case,
        [OutputInput(kind, reference) for kind in wanted],
        part.actor,
        now=part.at,
    )


def _sign(stage: DemoOffice, part: Part) -> None:
    attach_signed(stage, part.case, part.actor, part.at)


def _print(stage: DemoOffice, part: Part) -> None:
    spoiled = part.more.get("spoiled", "")
    for output in current_outputs(stage.session, part.case):
        if spoiled:
            record_print(
                stage.session, part.case, output, "spoiled", part.actor, now=part.at, reason=spoiled
            )
        record_print(stage.session, part.case, output, "good", part.actor, now=part.at)


def _send(stage: DemoOffice, part: Part) -> Details:
    code = part.more.get("parcel", {}).get("courier", "pos")
    courier = stage.couriers[code]
    proof = stage.attach(part.case, "proof", "bukti_kirim.jpg", part.actor, part.at)
    places = (part.case.address, part.case.region, part.case.kecamatan)
    parcel = Parcel(
        courier_id=courier.id,
        tracking_number=_TRACKING[code].format(part.story.text),
        recipient=part.case.applicant_name,
        address=", ".join(str(place) for place in places if place),
        phone=part.case.phone,
        service="Reguler",
        cost=9000 + part.story.text * 250,
    )
    create_dispatch(stage.session, stage.office, part.case, parcel, proof, part.actor, now=part.at)
    return {"tracking_number": parcel.tracking_number}


def parcel_of(session: Session, case: Complaint) -> Dispatch | None:
    """The latest parcel of a case."""
    query = select(Dispatch).where(Dispatch.complaint_id == case.id).order_by(Dispatch.id.desc())
    return session.scalars(query.limit(1)).first()


#: By transition of the SOP file; one it adds asks for nothing that the demo could know.
_PREPARE: Final[Mapping[str, Callable[[DemoOffice, Part], Details | None]]] = {
    "verify_file": _verify_file,
    "request_completion": _request_completion,
    "siak_match": _siak_match,
    "siak_mismatch": _siak_mismatch,
    "resolve_without_document": _resolve,
    "submit_certification": _submit,
    "submit_ktp_print": _submit,
    "sign": _sign,
    "confirm_printed": _print,
    "send": _send,
}
