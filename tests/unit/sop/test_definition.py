"""The SOP file compiles to the office's own sheet; changing it is an edit of the file."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from app.sop.definition import Sop, compile_sop, load_sop
from app.sop.errors import NotFoundError, UnknownTransitionError
from app.sop.guards import EFFECTS, GUARDS
from app.sop.text import language

PATH = Path(__file__).parents[3] / "seed_data" / "sop.toml"
TEXT = PATH.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sop() -> Sop:
    return load_sop(PATH)


TABLE = """
intake        petugas_pengaduan verify_file              siak_check    file_complete contact_present
intake        petugas_pengaduan request_completion*      returned      items_failed
siak_check    operator          siak_match               certification siak_match_recorded
siak_check    operator          siak_mismatch!           returned      siak_mismatch_recorded
siak_check    operator          resolve_without_document* resolved     answer_allowed
certification sub_koordinator   submit_certification+    signing       outputs_named
certification sub_koordinator   submit_ktp_print+        signing       first_ktp outputs_named
certification sub_koordinator   send_back_to_check*!     siak_check
signing       kepala_dinas      sign+                    printing      signatory_in_office outputs_signed checked_by_another
signing       kepala_dinas      refuse_signature*!       certification
printing      operator          confirm_printed+         dispatch      outputs_printed
dispatch      petugas_pengaduan send                     done          dispatch_with_proof
returned      petugas_pengaduan resubmit                 intake
returned      petugas_pengaduan withdraw*!               withdrawn
done          sub_koordinator   reopen*!                 intake
resolved      sub_koordinator   reopen*!                 intake
"""  # * extension, ! reason required, + batch


def test_the_transitions_are_the_table_of_the_design(sop: Sop) -> None:
    rows = [
        [
            move.source,
            move.actor,
            move.key + "*" * move.extension + "!" * move.reason + "+" * move.batch,
            move.target,
            *move.guards,
        ]
        for move in sop.transitions
    ]
    assert rows == [line.split() for line in TABLE.strip().splitlines()]


def test_the_applicant_is_told_when_the_case_leaves_the_office(sop: Sop) -> None:
    assert {move.key: move.message for move in sop.transitions if move.message} == {
        "request_completion": "returned",
        "siak_mismatch": "returned",
        "resolve_without_document": "answered",
        "send": "finished",
    }


def test_the_steps_take_the_minutes_of_the_sheet(sop: Sop) -> None:
    assert [(step.key, step.number, step.standard_minutes) for step in sop.clock_steps] == [
        ("intake", 1, 10),
        ("siak_check", 2, 15),
        ("certification", 3, 5),
        ("signing", 4, 2),
        ("printing", 5, 2),
        ("dispatch", 6, 2),
    ]
    assert sop.total_minutes == 36
    assert sop.entry == "intake"


def test_what_is_no_activity_has_no_clock(sop: Sop) -> None:
    others = [(step.key, step.kind, step.number) for step in sop.steps if not step.clock]
    assert others == [
        ("returned", "waiting", None),
        ("done", "end", None),
        ("resolved", "end", None),
        ("withdrawn", "end", None),
    ]


def test_the_words_are_the_office_s(sop: Sop) -> None:
    """Word for word, trailing commas included (the office's sheet)."""
    assert [step.activity for step in sop.clock_steps] == [
        "Menerima dan memverifikasi berkas pengaduan dari pemohon baik melalui medsos maupun "
        "kehadiran pemohon",
        "Melakukan verifikasi berkas pemohon di SIAK, jika data di SIAK sesuai dengan dokumen "
        "pendukung diteruskan ke sub koordinator Sebaliknya jika tidak sesuai dikembalikan "
        "kepada pemohon",
        "Pengajuan draft dokumen yang sudah diverifikasi ke dalam SIAK jika belum diajukan "
        "sertifikasi elektronik atau pengajuan cetak KTP melalui SIAK bagi yang belum menerima "
        "KTP el",
        "Menandatangani dokumen secara elektronik",
        "Pencetakan oleh operator",
        "Mengirimkan dokumen yang telah tercetak kepada pemohon melalui Biro Jasa Pengiriman",
    ]
    assert [step.output for step in sop.clock_steps] == [
        "Berkas permohonan yang telah diverifikasi petugas pengaduan",
        "Draft Biodata yang telah diverifikasi",
        "Draft dokumen yang telah diajukan sertifikasi elektronik oleh sub koordinator",
        "Dokumen yang telah ditandatangani secara elektronik",
        "Dokumen yang telah ditandatangani secara elektronik yang telah tercetak",
        "Bukti Pengiriman dari Biro Jasa Pengiriman",
    ]
    assert sop.step("intake").requires == (
        "Foto KK asli",
        "Foto KTP asli",
        "Data Dukung : Foto Akte Kelahiran, Ijasah, Buku Nikah/Akte Cerai, SPTJM,",
        "No tlpn/alamat email Pemohon",
    )
    assert [str(lane.label) for lane in sop.lanes] == [
        "Petugas Pengaduan",
        "Operator",
        "sub koordinator",
        "Kepala Dinas",
    ]


def test_the_head_of_the_sheet_invents_nothing(sop: Sop) -> None:
    assert sop.header.agency == "DINAS KEPENDUDUKAN DAN PENCATATAN SIPIL KAB. BATANG"
    assert sop.header.number == sop.header.effective_on == sop.header.approved_by == ""
    assert sop.header.legal_basis == ()


def test_every_guard_and_effect_is_used(sop: Sop) -> None:
    assert {name for move in sop.transitions for name in move.guards} == set(GUARDS)
    assert {move.effect for move in sop.transitions} - {None} == EFFECTS


def test_reopen_is_one_permission_under_two_steps(sop: Sop) -> None:
    assert sop.permissions.count("reopen") == 1
    assert len(sop.permissions) == len(sop.transitions) - 1
    assert all(move.permission == move.key for move in sop.transitions)


def test_look_ups(sop: Sop) -> None:
    assert sop.move("siak_check", "siak_match").target == "certification"
    assert sop.lane("operator").key == "operator"
    assert [step.key for step in sop.actor_steps("operator")] == ["siak_check", "printing"]
    assert len(sop.sha256) == 64


@pytest.mark.parametrize(
    ("look_up", "error"),
    [
        pytest.param(lambda s: s.step("nowhere"), NotFoundError, id="no such step"),
        pytest.param(lambda s: s.lane("nobody"), NotFoundError, id="no such lane"),
        pytest.param(lambda s: s.move("intake", "sign"), UnknownTransitionError, id="elsewhere"),
        pytest.param(lambda s: s.move("nowhere", "sign"), UnknownTransitionError, id="nowhere"),
    ],
)
def test_look_ups_refuse(sop: Sop, look_up: Callable[[Sop], object], error: type) -> None:
    with pytest.raises(error):
        look_up(sop)


def test_labels_speak_the_reader_s_language(sop: Sop) -> None:
    label = sop.move("signing", "sign").label
    assert str(label) == "Tandatangani"
    token = language.set("en")
    try:
        assert str(label) == "Sign"
    finally:
        language.reset(token)


def test_a_ktp_el_skips_the_signature_by_one_changed_target() -> None:
    before, after = TEXT.split('key = "submit_ktp_print"')
    changed = before + 'key = "submit_ktp_print"' + after.replace('"signing"', '"printing"', 1)
    compiled = compile_sop(tomllib.loads(changed))
    assert compiled.move("certification", "submit_ktp_print").target == "printing"


def test_a_seventh_step_is_an_edit_of_the_file_alone() -> None:
    seventh = """
[[step]]
key = "handover"
actor = "operator"
standard_minutes = 4
activity = "Menyerahkan dokumen di loket"
output = "Tanda terima"
label = { id = "Penyerahan", en = "Handover" }
[[step.transition]]
key = "hand_over"
target = "done"
label = { id = "Serahkan", en = "Hand over" }
"""
    send = 'key = "send"\ntarget = "done"'
    assert send in TEXT
    changed = TEXT.replace(send, 'key = "send"\ntarget = "handover"') + seventh
    compiled = compile_sop(tomllib.loads(changed))
    step = compiled.step("handover")
    assert (step.number, step.kind, step.clock, step.form) == (7, "activity", True, "plain")
    assert compiled.total_minutes == 40
    assert "hand_over" in compiled.permissions
    assert compiled.move("handover", "hand_over").actor == "operator"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "sop.toml"
    path.write_bytes(b"\xef\xbb\xbf" + PATH.read_bytes())
    assert load_sop(path).total_minutes == 36
