"""What a permission means, in the words of the office instead of FAB's."""

from __future__ import annotations

from typing import Any, Final

from flask_babel import gettext as _

from app.models import PermissionView
from app.sop.text import N_
from app.views.office import the_sop

_VERBS: Final[dict[str, str]] = {
    "can_list": N_("see the list"),
    "can_show": N_("open"),
    "can_add": N_("add"),
    "can_edit": N_("change"),
    "can_delete": N_("delete"),
    "can_download": N_("open the file"),
    "can_replace": N_("replace a file by a new version"),
    "can_export": N_("export"),
    "can_work": N_("work on cases (Kerjakan)"),
    "can_print": N_("print"),
    "can_original": N_("take a file without the mark, with a reason"),
    "can_erase": N_("erase for good"),
    "can_reprint": N_("print once more"),
    "can_book": N_("book cards"),
    "can_pause": N_("pause the clock"),
    "can_chart": N_("see the chart"),
    "can_userinfo": N_("see one's own profile"),
    "can_this_form_get": N_("open the form"),
    "can_this_form_post": N_("save the form"),
    "see_persons": N_("see which officer it was"),
    "see_personal": N_("see personal data"),
    "can_reveal": N_("see NIK, KK number and contact in full, with a reason"),
    "see_confidential": N_("see confidential cases"),
    "resetpasswords": N_("set another user's password"),
    "signins": N_("see another user's sign-ins"),
    "resetmypassword": N_("change one's own password"),
    "userinfoedit": N_("change one's own name"),
    "grant_any": N_("give rights that one does not hold (administrator)"),
    "menu_access": N_("see in the menu"),
}
_SCREENS: Final[dict[str, str]] = {
    "Complaint": N_("Complaints"),
    "Document": N_("Documents"),
    "Dispatch": N_("Dispatches"),
    "DispatchDesk": N_("Dispatch desk"),
    "Import": N_("Import a register"),
    "Message": N_("Messages to applicants"),
    "MessageText": N_("Message texts"),
    "Paper": N_("Papers to print"),
    "Queue": N_("Queue"),
    "Report": N_("Reports"),
    "Printing": N_("Printing"),
    "BlankStock": N_("Blank stock"),
    "Upload": N_("Uploads"),
    "SopSheet": N_("SOP sheet"),
    "StepChart": N_("Step durations"),
    "Chart": N_("The other charts"),
    "PersonChart": N_("Load per person"),
    "ProcessLog": N_("Process conformance"),
    "ChartCase": N_("Cases behind a number"),
    "DocumentKind": N_("Document kinds"),
    "Category": N_("Categories"),
    "Channel": N_("Channels"),
    "Courier": N_("Couriers"),
    "Region": N_("Regions"),
    "Holiday": N_("Holidays"),
    "WorkingHours": N_("Working hours"),
    "Office": N_("Office identity"),
    "SopStep": N_("Standard minutes"),
    "Signing": N_("Signing"),
    "Signatory": N_("Signatories"),
    "Admin": N_("Administration"),
    "UserDBModelView": N_("Users"),
    "RoleModelView": N_("Roles"),
    "ResetMyPasswordView": N_("My password"),
    "ResetPasswordView": N_("Passwords of others"),
    "UserInfoEditView": N_("My name"),
    "MySession": N_("My sessions"),
    "SecondFactor": N_("My second factor"),
    "UserSignIn": N_("Sign-ins of others"),
    "SignInRule": N_("Sign-in rules"),
    "Sign-in rules": N_("Sign-in rules"),
    "Audit": N_("Audit log"),
    "Audit log": N_("Audit log"),
    "PersonData": N_("One person's data"),
    "One person": N_("One person's data"),
    "Breach": N_("Breach register"),
    "Breaches": N_("Breach register"),
    "Personal data": N_("Personal data"),
    # Menu entries that are no screen of their own.
    "Complaints": N_("Complaints"),
    "Register": N_("Register a complaint"),
    "Documents": N_("Documents"),
    "Dispatches": N_("Dispatches"),
    "Messages": N_("Messages to applicants"),
    "Message texts": N_("Message texts"),
    "SOP": N_("SOP sheet"),
    "Charts": N_("Charts"),
    "Living SOP": N_("Living SOP"),
    "Process": N_("Process conformance"),
    "Reports": N_("Reports"),
    "Reference": N_("Reference data"),
    "Administration": N_("Administration"),
    "Users": N_("Users"),
    "Roles": N_("Roles"),
}


def permission_label(row: PermissionView) -> str:
    """`Pengaduan: membuka`, or for a transition the words on its button."""
    permission, screen = row.permission.name, row.view_menu.name
    move: Any = next((m for m in the_sop().transitions if m.permission == permission), None)
    if move is not None and screen == "Complaint":
        step = the_sop().step(move.source)
        verb = f"{step.label} → {move.label}"
    else:
        verb = _(_VERBS[permission]) if permission in _VERBS else permission.replace("_", " ")
    where = _(_SCREENS.get(screen, screen))  # a menu entry bears its label as its name
    return f"{where}: {verb}"
