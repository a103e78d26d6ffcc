"""Everything the audit log can tell: a closed list, by subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.sop.text import Text

_SIGN_IN: Final = {
    "signed_in": Text("Masuk", "Signed in"),
    "sign_in_failed": Text("Gagal masuk", "Failed to sign in"),
    "sign_in_held_up": Text("Upaya masuk ditahan", "Sign-in held up"),
    "signed_out": Text("Keluar", "Signed out"),
    "session_ended": Text("Sesi diakhiri", "Session ended"),
    "second_factor_set": Text("Faktor kedua dipasang", "Second factor set up"),
    "second_factor_removed": Text("Faktor kedua dilepas", "Second factor removed"),
    "second_factor_failed": Text("Kode faktor kedua salah", "Wrong code of the second factor"),
    "recovery_codes_made": Text("Kode pemulihan dibuat", "Recovery codes made"),
    "recovery_code_used": Text("Kode pemulihan dipakai", "Recovery code used"),
    "second_factor_demanded": Text(
        "Faktor kedua bagi peran diatur", "Second factor of a role demanded or not"
    ),
    "tries_forgotten": Text("Percobaan masuk yang salah dilupakan", "Wrong tries forgotten"),
    "confirmed": Text("Menegaskan diri", "Confirmed who it is"),
    "confirm_failed": Text("Gagal menegaskan diri", "Failed to confirm who it is"),
    "password_changed": Text("Kata sandi diganti", "Password changed"),
    "password_reset": Text("Kata sandi disetel ulang", "Password reset by an administrator"),
}
_RIGHTS: Final = {
    "refused": Text("Ditolak: tidak berhak", "Refused: no right to it"),
    "user_added": Text("Pengguna ditambah", "User added"),
    "user_changed": Text("Pengguna diubah", "User changed"),
    "user_deactivated": Text("Pengguna dinonaktifkan", "User deactivated"),
    "user_activated": Text("Pengguna diaktifkan", "User activated"),
    "user_removed": Text("Pengguna dihapus", "User removed"),
    "role_added": Text("Peran ditambah", "Role added"),
    "role_changed": Text("Peran diubah", "Role changed"),
    "role_removed": Text("Peran dihapus", "Role removed"),
    "duties_exception": Text("Pengecualian pemisahan tugas", "Exception to separated duties"),
}
_PERSONAL: Final = {
    "personal_data_revealed": Text("Data pribadi dibuka", "Personal data revealed"),
    "personal_data_searched": Text("Data pribadi dicari", "Personal data searched for"),
    "personal_data_exported": Text("Data seorang pemohon diekspor", "Data of one person exported"),
    "personal_data_erased": Text("Data pribadi dihapus", "Personal data erased"),
    "file_viewed": Text("Berkas dilihat", "File looked at"),
    "file_downloaded": Text("Berkas diunduh", "File downloaded"),
    "file_original": Text("Berkas asli diambil", "Original file taken"),
    "breach_recorded": Text("Kebocoran data dicatat", "Data breach recorded"),
    "breach_changed": Text("Catatan kebocoran diubah", "Record of a breach changed"),
    "data_key_rotated": Text("Kunci data diganti", "Data key rotated"),
}
_CASES: Final = {
    "case_registered": Text("Pengaduan didaftarkan", "Complaint registered"),
    "case_moved": Text("Pengaduan dipindahkan", "Complaint moved"),
    "case_changed": Text("Data pengaduan diubah", "Complaint changed"),
    "file_added": Text("Berkas ditambah", "File added"),
    "file_replaced": Text("Berkas diganti", "File replaced"),
    "cases_imported": Text("Pengaduan diimpor", "Complaints imported"),
    "printed": Text("Dicetak", "Printed"),
    "exported": Text("Daftar diekspor", "List exported"),
    "report_made": Text("Laporan dibuat", "Report made"),
    "report_downloaded": Text("Laporan diunduh", "Report downloaded"),
}
_SYSTEM: Final = {
    "record_added": Text("Pengaturan ditambah", "Setting added"),
    "record_changed": Text("Pengaturan diubah", "Setting changed"),
    "record_removed": Text("Pengaturan dihapus", "Setting removed"),
    "sop_synced": Text("SOP diselaraskan", "SOP brought in line"),
    "backup_made": Text("Cadangan dibuat", "Backup made"),
    "restored": Text("Dipulihkan dari cadangan", "Restored from a backup"),
    "statistics_merged": Text("Statistik kantor digabungkan", "Statistics of an office merged"),
    "runs_archived": Text("Waktu langkah diarsipkan", "Step times archived"),
    "runs_attached": Text(
        "Waktu langkah dikembalikan dari arsip", "Step times back from the archive"
    ),
    "audit_archived": Text("Catatan audit diarsipkan", "Audit log archived"),
    "audit_exported": Text("Catatan audit diekspor", "Audit log exported"),
}
#: The kinds in the groups in which a person looks for them.
GROUPS: Final[tuple[tuple[Text, Mapping[str, Text]], ...]] = (
    (Text("Masuk dan sesi", "Sign-in and sessions"), _SIGN_IN),
    (Text("Hak akses", "Rights"), _RIGHTS),
    (Text("Data pribadi", "Personal data"), _PERSONAL),
    (Text("Pengaduan dan dokumen", "Complaints and papers"), _CASES),
    (Text("Pengaturan dan sistem", "Settings and system"), _SYSTEM),
)
KINDS: Final[Mapping[str, Text]] = {
    kind: label for _group, kinds in GROUPS for kind, label in kinds.items()
}
