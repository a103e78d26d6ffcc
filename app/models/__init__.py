"""Every table of the panel; importing this module registers them all, FAB's included."""

from flask_appbuilder.security.sqla.models import (
    Group,
    Permission,
    PermissionView,
    Role,
    User,
    ViewMenu,
)

from app.models.account import Account
from app.models.archive import ArchivedPause, ArchivedRun, ArchivedYear
from app.models.audit import AuditEvent
from app.models.base import Model, UTCDateTime, utc_now
from app.models.breach import Breach, BreachVersion
from app.models.complaint import Complaint, RequirementCheck, SiakCheck
from app.models.datakey import DataKeyUse
from app.models.dispatch import Dispatch
from app.models.document import CaseOutput, Document, PrintRun, StagedUpload
from app.models.importing import ImportRun
from app.models.message import Message, MessageText
from app.models.printing import BlankEntry, BlankStock, BlankWait, PrintBatch, PrintBatchItem
from app.models.province import MergedCell, MergedOffice
from app.models.reference import (
    Category,
    CategoryOutput,
    CategoryRequirement,
    Channel,
    Courier,
    DocumentKind,
    Holiday,
    Office,
    Region,
    SeedRun,
    WorkingHours,
)
from app.models.report import ReportJob
from app.models.search import CaseWord, NameWord
from app.models.sign_in import (
    KnownDevice,
    RecoveryCode,
    RoleRule,
    SecondFactor,
    SignInSession,
    SignInThrottle,
)
from app.models.signature import DocumentSignature, Signatory, SigningBatch, SigningItem
from app.models.sop import (
    CaseEvent,
    NumberSeries,
    Pause,
    SopRelease,
    SopStep,
    StepRun,
    UsedFormKey,
)
from app.models.stamp import Stamp
from app.models.statistics import StatCell

__all__ = [
    "Account",
    "ArchivedPause",
    "ArchivedRun",
    "ArchivedYear",
    "AuditEvent",
    "BlankEntry",
    "BlankStock",
    "BlankWait",
    "Breach",
    "BreachVersion",
    "CaseEvent",
    "CaseOutput",
    "CaseWord",
    "Category",
    "CategoryOutput",
    "CategoryRequirement",
    "Channel",
    "Complaint",
    "Courier",
    "DataKeyUse",
    "Dispatch",
    "Document",
    "DocumentKind",
    "DocumentSignature",
    "Group",
    "Holiday",
    "ImportRun",
    "KnownDevice",
    "MergedCell",
    "MergedOffice",
    "Message",
    "MessageText",
    "Model",
    "NameWord",
    "NumberSeries",
    "Office",
    "Pause",
    "Permission",
    "PermissionView",
    "PrintBatch",
    "PrintBatchItem",
    "PrintRun",
    "RecoveryCode",
    "Region",
    "ReportJob",
    "RequirementCheck",
    "Role",
    "RoleRule",
    "SecondFactor",
    "SeedRun",
    "SiakCheck",
    "SignInSession",
    "SignInThrottle",
    "Signatory",
    "SigningBatch",
    "SigningItem",
    "SopRelease",
    "SopStep",
    "StagedUpload",
    "Stamp",
    "StatCell",
    "StepRun",
    "UTCDateTime",
    "UsedFormKey",
    "User",
    "ViewMenu",
    "WorkingHours",
    "utc_now",
]
