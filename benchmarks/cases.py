"""Many plausible complaints as plain rows, always the same for the same seed and number.

Nothing here goes through the services: 100,000 cases would take hours. The rows are what the
services would have left behind, down to the frozen clocks, except that files are not in the store,
and that cases before the last hundred thousand bring only what lists, charts and their histories
read: the case itself, its runs, its history, its parcel and what proves it was sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from benchmarks.names import FAMILY, GIVEN

SEED: Final = 4711
#: How far back the first complaint was received.
YEARS: Final = 5
SECONDS: Final = YEARS * 365 * 86400

#: The last cases come with everything that hangs on a case.
WHOLE: Final = 100_000
#: Of the last so many, some are open still: an office's open work is what it can handle, however
#: long its past is.
OPEN_SHARE, OPEN_LEAST, OPEN_MOST = 0.005, 1_000, 0.17
#: Where the cases stand at the end: finished ones in percent, then open ones by weight.
ENDS: Final[Mapping[str, float]] = {
    "done": 92,
    "resolved": 6,
    "withdrawn": 2,
    "intake": 2,
    "siak_check": 4,
    "certification": 6,
    "signing": 3,
    "printing": 2,
    "dispatch": 2,
    "returned": 2,
}
#: Step, its move forward, minutes of work (middle), hours of wait (middle).
COURSE: Final = (
    ("intake", "verify_file", 9, 0.0),
    ("siak_check", "siak_match", 20, 5.0),
    ("certification", "submit_certification", 4, 3.0),
    ("signing", "sign", 1.3, 6.0),
    ("printing", "confirm_printed", 2.2, 1.0),
    ("dispatch", "send", 2.1, 3.0),
)
STEPS: Final = tuple(row[0] for row in COURSE)
STANDARD: Final = dict(zip(STEPS, (10, 15, 5, 2, 2, 2), strict=True))

TEXTS: Final = (
    "NIK saya tidak ditemukan waktu mendaftar, mohon dibantu supaya aktif.",
    "Tanggal lahir di KTP berbeda dengan akta, mohon diperbaiki menurut akta.",
    "KK baru setelah menikah belum ada kabar, berkas sudah dikirim minggu lalu. " * 2,
    "KTP saya patah di bagian chip, mohon dicetak ulang dan dikirim ke rumah.",
    "Nama anak di akta tertulis tanpa spasi, mohon dibetulkan sebelum daftar sekolah. " * 3,
)

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Reference:
    """The ids that rows refer to."""

    channels: Sequence[int]
    categories: Sequence[int]
    #: The required papers of each category.
    papers: Mapping[int, Sequence[tuple[int, bool, int]]]
    outputs: Sequence[int]
    #: Codes of the papers that applicants bring.
    kinds: Sequence[str]
    couriers: Sequence[int]
    #: (kecamatan code, desa code)
    places: Sequence[tuple[str, str]]
    #: User ids by lane of the SOP.
    officers: Mapping[str, Sequence[int]]
    names: Mapping[int, str]


#: Columns of each table in the order of its rows; `id` counts up by itself.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "complaint": (
        "id", "number", "channel_id", "handle", "received_at", "registered_at",
        "registered_by_id", "applicant_name", "nik", "kk_number", "sex", "phone", "address",
        "kecamatan_code", "region_code", "confidential", "category_id", "text", "answer",
        "step_key", "step_since", "version", "round", "assignee_id", "completeness_due",
        "decision_due", "class_due", "closed_at", "told_at",
    ),
    "requirement_check": ("id", "complaint_id", "kind_id", "required", "state", "position"),
    "siak_check": (
        "id", "complaint_id", "round", "result", "draft_reference", "differences", "checked_at",
        "checked_by_id", "note",
    ),
    "step_run": (
        "id", "complaint_id", "step_key", "round", "entered_at", "started_at", "finished_at",
        "started_by_id", "finished_by_id", "transition", "standard_minutes", "wait_seconds",
        "work_seconds", "case_year",
    ),
    "case_event": (
        "id", "complaint_id", "kind", "at", "by_id", "by_name", "transition", "from_step",
        "to_step", "round", "version", "reason", "details",
    ),
    "case_output": (
        "id", "complaint_id", "kind_id", "reference", "named_at", "named_by_id", "round",
        "check_code",
    ),
    "document": (
        "id", "public_id", "complaint_id", "kind_id", "output_id", "stage", "uploaded_at",
        "uploaded_by_id", "storage_key", "original_name", "media_type", "size", "sha256",
    ),
    "print_run": ("id", "output_id", "number", "result", "printed_at", "printed_by_id"),
    "dispatch": (
        "id", "complaint_id", "courier_id", "tracking_number", "recipient", "address", "phone",
        "sent_at", "sent_by_id", "proof_id", "status", "delivered_at", "received_by",
    ),
    "pause": ("id", "step_run_id", "step_key", "reason", "note", "from_at", "to_at", "by_id"),
}  # fmt: skip


class Maker:
    """Makes the rows of one case after the other."""

    def __init__(self, reference: Reference, total: int, now: datetime) -> None:
        self.ref, self.total = reference, total
        self.now = int(now.timestamp())
        self.random = Random(SEED)
        self.serials: dict[int, int] = {}
        self.ids = dict.fromkeys(COLUMNS, 0)
        self.rows: dict[str, list[Row]] = {name: [] for name in COLUMNS}
        self.ends = list(ENDS), list(ENDS.values())
        #: How many of the last cases may be open, and how many of them are.
        self.open = int(min(max(OPEN_SHARE * total, OPEN_LEAST), OPEN_MOST * total))
        self.recent = total - int(self.open * 1.25)

    def chunks(self, size: int) -> Iterator[dict[str, list[Row]]]:
        """All rows, some hundreds of cases at a time."""
        for number in range(1, self.total + 1):
            self._case(number)
            if number % size == 0 or number == self.total:
                yield self.rows
                self.rows = {name: [] for name in COLUMNS}

    def _add(self, table: str, *values: Any) -> int:
        self.ids[table] += 1
        self.rows[table].append((self.ids[table], *values))
        return self.ids[table]

    def _case(self, number: int) -> None:
        ref, chance = self.ref, self.random
        # Evenly over the years; the open ones are among the last.
        received = self.now - SECONDS + int(SECONDS * (number - 1) / self.total)
        received = min(received, self.now - 600)
        end = self._end(number > self.recent)
        self.whole = number > self.total - WHOLE
        registered = (
            received + chance.randrange(60, 7200) if received < self.now - 7300 else received
        )
        year = _moment(registered).year
        self.serials[year] = self.serials.get(year, 0) + 1
        kecamatan, desa = chance.choice(ref.places)
        category = chance.choice(ref.categories)
        name = self._name()
        phone = f"0812000{number % 100000:05}"
        address = f"RT {number % 9 + 1:02} RW {number % 5 + 1:02}, {desa}"
        petugas = chance.choice(ref.officers["petugas_pengaduan"])
        rounds = 2 if chance.random() < 0.12 else 1
        case_id = self.ids["complaint"] + 1
        at, version, last_event, told = registered, 1, registered, None
        self._event(case_id, "registered", registered, petugas, None, None, None, 1, version)
        self._papers(case_id, category, registered, petugas, end)
        walk = list(self._walk(end, rounds))
        outputs: list[int] = []
        for step, move, target, round_ in walk:
            work, wait = self._times(step)
            started = min(at + wait, self.now - 2)
            finished = min(started + work, self.now - 1)
            actor = self._actor(step)
            if step in STEPS:
                self._add(
                    "step_run", case_id, step, round_, _moment(at), _moment(started),
                    _moment(finished), actor, actor, move, STANDARD[step],
                    int(wait * 0.3), finished - started, year,
                )  # fmt: skip
                told = told or finished
                if chance.random() < 0.003:
                    self._pause(started, min(3_600, (finished - started) // 2), actor)
            version += 2
            self._event(case_id, "moved", finished, actor, move, step, target, round_, version)
            self._traces(case_id, move, round_, finished, actor, outputs, name, address, phone)
            at = last_event = finished
        assignee = None
        if end in STEPS:
            taken = end == "intake" or chance.random() < 0.25
            assignee = self._actor(end) if taken else None
            self._add(
                "step_run", case_id, end, rounds, _moment(at),
                _moment(min(at + 600, self.now - 1)) if taken else None, None, assignee, None,
                None, STANDARD[end], None, None, year,
            )  # fmt: skip
        day = _moment(received).date()
        serial = f"PGD-{year}-{self.serials[year]:06}"
        self._add(
            "complaint", serial, chance.choice(ref.channels), phone, _moment(received),
            _moment(registered), petugas, name,
            kecamatan.replace(".", "") + f"{number % 28 + 1:02}0190{number % 10000:04}",
            kecamatan.replace(".", "") + f"{number % 28 + 1:02}0119{number % 10000:04}",
            "L" if number % 2 else "P", phone, address, kecamatan, desa,
            number % 200 == 0, category, chance.choice(TEXTS),
            "Sudah dijelaskan." if end == "resolved" else "", end, _moment(last_event), version,
            rounds, assignee, day + timedelta(days=14), day + timedelta(days=60),
            day + timedelta(days=20),
            _moment(last_event) if end in ("done", "resolved", "withdrawn") else None,
            _moment(told) if told else None,
        )  # fmt: skip

    def _end(self, recent: bool) -> str:
        names, weights = self.ends
        if recent and self.random.random() < 0.8:
            return self.random.choices(names[3:], weights[3:])[0]
        return self.random.choices(names[:3], weights[:3])[0]

    def _walk(self, end: str, rounds: int) -> Iterator[tuple[str, str, str, int]]:
        """(step, move, target, round) up to the end."""
        if rounds == 2:
            yield "intake", "request_completion", "returned", 1
            yield "returned", "resubmit", "intake", 1
        if end in ("returned", "withdrawn"):
            yield "intake", "request_completion", "returned", rounds
            if end == "withdrawn":
                yield "returned", "withdraw", "withdrawn", rounds
            return
        if end == "resolved":
            yield "intake", "verify_file", "siak_check", rounds
            yield "siak_check", "resolve_without_document", "resolved", rounds
            return
        for place, (step, move, _work, _wait) in enumerate(COURSE):
            if step == end:
                return
            target = STEPS[place + 1] if place + 1 < len(STEPS) else "done"
            yield step, move, target, rounds

    def _times(self, step: str) -> tuple[int, int]:
        """Seconds of work and of wait."""
        spread = self.random.lognormvariate(0, 0.5)
        for name, _move, minutes, hours in COURSE:
            if name == step:
                wait = self.random.expovariate(1 / (hours * 3600 + 60))
                return int(minutes * 60 * spread) + 1, int(wait)
        return 60, int(self.random.expovariate(1 / 200_000))

    def _papers(self, case_id: int, category: int, at: int, actor: int, end: str) -> None:
        if not self.whole:
            return
        for kind, required, position in self.ref.papers.get(category, ()):
            present = required and end != "intake"
            self._add(
                "requirement_check", case_id, kind, required,
                "present" if present else "unchecked", position,
            )  # fmt: skip
            if present:
                self._document(case_id, kind, None, "requirement", at, actor)

    def _traces(
        self, case_id: int, move: str, round_: int, at: int, actor: int, outputs: list[int],
        name: str, address: str, phone: str,
    ) -> None:  # fmt: skip
        """What a move leaves behind besides its run and its event."""
        when = _moment(at)
        if move != "send" and not self.whole:
            return
        if move == "siak_match":
            reference = f"BIO-{case_id:07}"
            self._add("siak_check", case_id, round_, "match", reference, "[]", when, actor, "")
            kind = self.random.choice(self.ref.outputs)
            code = f"bench-{case_id:08}-{round_:02}"  # unique: a case is checked once a round
            outputs.append(
                self._add("case_output", case_id, kind, reference, when, actor, round_, code)
            )
        elif move == "sign":
            for output in outputs:
                self._document(case_id, None, output, "signed", at, actor)
        elif move == "confirm_printed":
            for output in outputs:
                self._add("print_run", output, 1, "good", when, actor)
        elif move == "send":
            proof = self._document(case_id, None, None, "proof", at, actor)
            delivered = self.random.random() < 0.85 and at < self.now - 200_000
            self._add(
                "dispatch", case_id, self.ref.couriers[case_id % len(self.ref.couriers)],
                f"P{case_id:013}", name, address, phone, when, actor, proof,
                "delivered" if delivered else "sent",
                _moment(at + 150_000) if delivered else None, name if delivered else "",
            )  # fmt: skip

    def _document(
        self, case_id: int, kind: int | None, output: int | None, stage: str, at: int, actor: int
    ) -> int:
        number = self.ids["document"] + 1
        return self._add(
            "document", f"bench{number:017}", case_id, kind, output, stage, _moment(at), actor,
            f"00/00{number:030x}", f"{stage}-{number}.jpg", "image/jpeg", 67540, f"{number:064x}",
        )  # fmt: skip

    def _pause(self, start: int, seconds: int, actor: int) -> None:
        """The clock of the run just written stood still for a while."""
        reason = self.random.choice(("siak_down", "blank_stock_gone", "waiting_applicant"))
        end = _moment(start + seconds)
        self._add("pause", self.ids["step_run"], None, reason, "", _moment(start), end, actor)

    def _event(
        self, case_id: int, kind: str, at: int, actor: int, move: str | None, source: str | None,
        target: str | None, round_: int, version: int,
    ) -> None:  # fmt: skip
        details: dict[str, Any] = {}
        if move == "request_completion":
            code = self.random.choice(self.ref.kinds)
            state = self.random.choice(("missing", "unreadable"))
            details = {"items": [], "returned": {"failed": [[code, state]], "differences": []}}
        reason = "Tidak ada jawaban." if move == "withdraw" else ""
        self._add(
            "case_event", case_id, kind, _moment(at), actor, self.ref.names[actor], move, source,
            target, round_, version, reason, json.dumps(details),
        )  # fmt: skip

    def _actor(self, step: str) -> int:
        lanes = {
            "siak_check": "operator",
            "printing": "operator",
            "certification": "sub_koordinator",
            "signing": "kepala_dinas",
        }
        return self.random.choice(self.ref.officers[lanes.get(step, "petugas_pengaduan")])

    def _name(self) -> str:
        first, last = self.random.choice(GIVEN), self.random.choice(FAMILY)
        middle = self.random.choice(GIVEN) if self.random.random() < 0.4 else ""
        return " ".join(part for part in (first, middle, last) if part)


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
