"""What the signatures of a PDF say: intact or changed since, by whom, when, issuer known or not.

Three answers of the library are not enough: after an added revision a signature is still
"intact", "valid" and "trusted". So whatever was added after a signature is compared with what it
covers, and the only things that may come after it are a further signature, which then covers
them, and validation data (certificates, revocation lists, archive time stamps).
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from asn1crypto import cms, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    DiffResult,
    DocInfoRule,
    DSSCompareRule,
    FormUpdatingRule,
    MetadataUpdateRule,
    ModificationLevel,
    ObjectStreamRule,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    SuspiciousModification,
    XrefStreamRule,
)
from pyhanko.sign.diff_analysis.rules_api import ReferenceUpdate
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    EmbeddedPdfSignature,
    KeyUsageConstraints,
    PdfSignatureStatus,
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
)
from pyhanko_certvalidator import ValidationContext

from app.services.signature.running import run
from app.services.signature.trust import Trust

State = Literal["trusted", "unknown_issuer", "changed", "unsigned"]

# The library tells its reasons at length, with people's names in them; ours are the states.
logging.getLogger("pyhanko").setLevel(logging.ERROR)
logging.getLogger("pyhanko_certvalidator").setLevel(logging.ERROR)
logger = logging.getLogger(__name__)

#: Longest text kept of a certificate or a reason.
TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class FoundSignature:
    """One signature of a PDF as it was read."""

    signer: str
    issuer: str
    #: Aware UTC: by a trusted time stamp, else as the signature claims; None when it claims none.
    signed_at: datetime | None
    timestamped: bool
    intact: bool
    issuer_known: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """The answer for a file: the worst of its signatures, and each of them in order."""

    state: State
    signatures: tuple[FoundSignature, ...] = ()


def read_signatures(pdf: bytes, trust: Trust, *, now: datetime | None = None) -> SignatureReport:
    """Read every signature of a PDF; hostile bytes give an answer too, never an exception.

    Args:
        pdf: the file, byte for byte.
        trust: the known issuers.
        now: the moment certificates have to be valid at when no time stamp proves another.
    """
    # A PDF that was saved anew keeps the rest of a signature that is one no longer.
    without: State = "changed" if b"/ByteRange" in pdf else "unsigned"
    reader = _open(pdf)
    if reader is None:
        return SignatureReport(without)
    try:
        return _read(reader, pdf, trust, now or datetime.now(UTC), without)
    except Exception:  # Hostile bytes raise anything in a parser.
        logger.info("a signed PDF could not be read", exc_info=True)
        return SignatureReport(without)


def _open(pdf: bytes) -> PdfFileReader | None:
    """A reader, strict if possible: other offices' programs write PDFs that bend the rules."""
    for strict in (True, False):
        try:
            reader = PdfFileReader(io.BytesIO(pdf), strict=strict)
            if strict and reader.xrefs.hybrid_xrefs_present:
                continue
            _ = reader.root, list(enumerate_sig_fields(reader, filled_status=True))
        except Exception:  # noqa: S112 - hostile bytes raise anything in a parser
            continue
        return reader
    return None


def _read(
    reader: PdfFileReader, pdf: bytes, trust: Trust, now: datetime, without: State
) -> SignatureReport:
    fields = list(enumerate_sig_fields(reader, filled_status=True))
    if not fields:
        return SignatureReport(without)
    embedded = _embedded(reader, fields)
    if len(embedded) != len(fields):
        return SignatureReport("changed")  # one of a kind nobody can check any more
    covered = _end_is_covered(reader, embedded[-1])
    found: list[FoundSignature] = []
    stamps_ok = True
    for item in embedded:
        whole = covered and _fills_its_gap(item, pdf) and not _unsigned_layers(reader, item)
        if item.sig_object_type == "/Sig":
            found.append(_found(item, reader, trust, now, whole))
        else:
            stamps_ok = stamps_ok and whole and _time_stamp_intact(item, trust, now)
    if not found:
        return SignatureReport("unsigned")  # a time stamp says when, not who
    return SignatureReport(_state(found, stamps_ok), tuple(found))


def _state(found: Sequence[FoundSignature], stamps_ok: bool) -> State:
    if not stamps_ok or not all(item.intact for item in found):
        return "changed"
    return "trusted" if all(item.issuer_known for item in found) else "unknown_issuer"


def _embedded(
    reader: PdfFileReader, fields: Iterable[tuple[str, Any, Any]]
) -> list[EmbeddedPdfSignature]:
    """The signatures, the oldest first; one that cannot be taken apart is left out."""
    items: list[EmbeddedPdfSignature] = []
    for name, _, sig_field in fields:
        try:
            items.append(EmbeddedPdfSignature(reader, sig_field, name))
        except Exception:  # noqa: S112 - hostile bytes raise anything in a parser
            continue
    return sorted(items, key=lambda item: item.signed_revision)


# --- one signature -----------------------------------------------------------------------------


def _found(
    item: EmbeddedPdfSignature, reader: PdfFileReader, trust: Trust, now: datetime, whole: bool
) -> FoundSignature:
    status: PdfSignatureStatus | None = None
    try:
        status = run(
            async_validate_pdf_signature(
                item,
                signer_validation_context=_context(reader, item, trust, now),
                ts_validation_context=_context(reader, item, trust, now),
                diff_policy=BETWEEN,
                key_usage_settings=_KEY_USAGE,
            )
        )
    except Exception:  # Whatever cannot be checked is not intact.
        logger.info("a signature could not be checked", exc_info=True)
    stamp = status.timestamp_validity if status else None
    stamped = bool(stamp and stamp.valid and stamp.intact and stamp.trusted)
    at = stamp.timestamp if stamp and stamped else _claimed_time(item, status)
    certificate = _certificate(item)
    return FoundSignature(
        signer=_text(_name(certificate.subject) if certificate else ""),
        issuer=_text(_name(certificate.issuer) if certificate else ""),
        signed_at=_aware(at),
        timestamped=stamped,
        intact=whole and status is not None and _is_intact(status),
        issuer_known=status is not None and _issuer_known(status, certificate, _aware(at)),
        reason=_text(item.sig_object.get("/Reason", "")),
    )


def _is_intact(status: PdfSignatureStatus) -> bool:
    level = status.modification_level
    return (
        status.intact
        and status.valid
        and not isinstance(status.diff_result, SuspiciousModification)
        and level is not None
        and level <= ModificationLevel.FORM_FILLING
        and status.docmdp_ok is not False
        and status.seed_value_ok
    )


def _issuer_known(
    status: PdfSignatureStatus, certificate: x509.Certificate | None, at: datetime | None
) -> bool:
    if not status.trusted or certificate is None:
        return False
    # The time a signature claims proves nothing, but one outside its certificate's own is no
    # signature its issuer stands for.
    return at is None or certificate.not_valid_before <= at <= certificate.not_valid_after


#: Certificates for signatures differ in which of the two they name.
_KEY_USAGE: Final = KeyUsageConstraints(
    key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False
)


def _context(
    reader: PdfFileReader, item: EmbeddedPdfSignature, trust: Trust, now: datetime
) -> ValidationContext:
    """Our issuers and what the file brings along; nothing is fetched from a network."""
    settings: dict[str, Any] = {
        "trust_roots": list(trust.roots),
        "allow_fetching": False,
        "revocation_mode": "soft-fail",
        "moment": now,
    }
    try:
        if "/DSS" in reader.root:
            return DocumentSecurityStore.read_dss(reader).as_validation_context(settings)
    except Exception:  # A damaged store of certificates proves nothing and hinders nothing.
        logger.info("the certificates in a signed PDF could not be read", exc_info=True)
    return ValidationContext(**settings)


def _certificate(item: EmbeddedPdfSignature) -> x509.Certificate | None:
    try:
        return item.signer_cert
    except Exception:  # Hostile bytes raise anything in a parser.
        return None


def _claimed_time(item: EmbeddedPdfSignature, status: PdfSignatureStatus | None) -> datetime | None:
    if status is not None and status.signer_reported_dt is not None:
        return status.signer_reported_dt
    try:
        return item.self_reported_timestamp
    except Exception:  # Hostile bytes raise anything in a parser.
        return None


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _name(name: x509.Name) -> str:
    """The common name, or whatever else there is."""
    parts = name.native
    text = parts.get("common_name") or name.human_friendly
    return text if isinstance(text, str) else ", ".join(map(str, text))


def _text(value: object) -> str:
    return "".join(letter for letter in str(value or "") if letter.isprintable())[:TEXT]


# --- what comes after a signature --------------------------------------------------------------


def _time_stamp_intact(item: EmbeddedPdfSignature, trust: Trust, now: datetime) -> bool:
    try:
        context = ValidationContext(trust_roots=list(trust.roots), allow_fetching=False, moment=now)
        status = run(async_validate_pdf_timestamp(item, context, diff_policy=BETWEEN))
    except Exception:  # Whatever cannot be checked is not intact.
        return False
    return bool(
        status.intact
        and status.valid
        and status.modification_level is not None
        and status.modification_level <= ModificationLevel.FORM_FILLING
    )


def _fills_its_gap(item: EmbeddedPdfSignature, pdf: bytes) -> bool:
    """Whether the bytes a signature leaves out hold nothing but itself and its padding."""
    ranges = [int(number) for number in item.byte_range]
    if len(ranges) != 4 or ranges[0] != 0:
        return False
    start, end = ranges[1], ranges[2]
    gap = pdf[start:end]
    if not (gap.startswith(b"<") and gap.endswith(b">")) or end + ranges[3] > len(pdf):
        return False
    try:
        content = bytes.fromhex(gap[1:-1].decode("ascii"))
    except ValueError:
        return False
    used = len(cms.ContentInfo.load(content).dump())
    return content == item.pkcs7_content and not any(content[used:])


def _end_is_covered(reader: PdfFileReader, last: EmbeddedPdfSignature) -> bool:
    """Whether nothing but validation data follows the last signature."""
    if last.evaluate_signature_coverage().name == "ENTIRE_FILE":
        return True
    if last.evaluate_signature_coverage().name != "ENTIRE_REVISION":
        return False
    before = reader.get_historical_resolver(last.signed_revision)
    if reader.root.get("/DSS") is None or _same(before.root, reader.root, "/DSS"):
        return False  # a revision that adds no validation data has no business there
    result = AFTER.review_file(reader, last.signed_revision)
    return (
        isinstance(result, DiffResult)
        and result.modification_level <= ModificationLevel.LTA_UPDATES
    )


def _unsigned_layers(reader: PdfFileReader, item: EmbeddedPdfSignature) -> bool:
    """Whether a field nobody signed was drawn after this signature, perhaps over the text.

    To the library an empty field for a signature is a harmless addition, whatever it shows.
    """
    for _, _, field in enumerate_sig_fields(reader, filled_status=False):
        parts = [field, *_appearances(field.get_object())]
        references = [part.reference for part in parts if hasattr(part, "reference")]
        if len(references) != len(parts):
            return True  # written into its parent: nobody can say since when
        if any(reader.xrefs.get_last_change(ref) > item.signed_revision for ref in references):
            return True
    return False


def _appearances(field: generic.DictionaryObject) -> list[Any]:
    """Where the drawings of a field and of its parts on the pages stand."""
    found: list[Any] = []
    for part in (field, *(kid.get_object() for kid in field.get("/Kids", ()))):
        drawn = part.get("/AP")
        if isinstance(drawn, generic.DictionaryObject):
            found += [drawn.raw_get(key) for key in drawn]
    return found


def _same(old: generic.DictionaryObject, new: generic.DictionaryObject, key: str) -> bool:
    return key in old and bool(old.raw_get(key) == new.raw_get(key))


class _SameInfoRule(DocInfoRule):
    """The document's title and author stay; only the marks of the saving program may change."""

    _FREE: Final = frozenset({"/ModDate", "/Producer"})

    def apply(self, old: HistoricalResolver, new: HistoricalResolver) -> Iterable[ReferenceUpdate]:
        texts = [_info(view) for view in (old, new)]
        for key in set(texts[0]) | set(texts[1]):
            if key not in self._FREE and texts[0].get(key) != texts[1].get(key):
                raise SuspiciousModification(f"{key} was changed")
        yield from super().apply(old, new)


def _info(resolver: HistoricalResolver) -> dict[str, object]:
    reference = resolver.trailer_view.get_value_as_reference("/Info", optional=True)
    # Asked of the resolver: the reference itself would lead to the newest revision's.
    info = None if reference is None else resolver.get_object(reference)
    return dict(info.items()) if isinstance(info, generic.DictionaryObject) else {}


def _file_rules() -> list[Any]:
    level = ModificationLevel.LTA_UPDATES
    rules = (XrefStreamRule(), ObjectStreamRule(), DSSCompareRule(), MetadataUpdateRule())
    return [CatalogModificationRule(), *(rule.as_qualified(level) for rule in rules)]


#: Between one signature and the next: the field of the next one, and nothing a reader would see.
#: Filling in a form field is a change (it is not, to the library's own policy).
BETWEEN: Final = StandardDiffPolicy(
    global_rules=[*_file_rules(), DocInfoRule().as_qualified(ModificationLevel.LTA_UPDATES)],
    form_rule=FormUpdatingRule(field_rules=[SigFieldCreationRule(), SigFieldModificationRule()]),
)
#: After the last signature: validation data only. A signature field that nobody signed could
#: lay a picture over the text.
AFTER: Final = StandardDiffPolicy(
    global_rules=[*_file_rules(), _SameInfoRule().as_qualified(ModificationLevel.LTA_UPDATES)],
    form_rule=None,
)
