"""What Hypothesis sends: forms as they are with something wrong in them, and addresses likewise."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.support import samples
from tests.support.busy_office import File
from tests.support.webforms import TYPED, WebForm

#: How many examples each test draws; without the variable always the same ones, for a minute.
EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "0"))


def profile(examples: int) -> settings:
    """So many examples in every run of the suite, or as many as FUZZ_EXAMPLES says, by chance."""
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        # The tests collect what is wrong: nothing is to be shrunk.
        phases=(Phase.generate,),
        suppress_health_check=[*HealthCheck],
    )


#: A word in each piece of SQL that is typed: no statement may hold it.
TYPED_SQL: Final = "zqxq"
NASTY: Final = (
    "' OR 'zqxq'='zqxq", "zqxq'; SELECT pg_sleep(9) --", "zqxq\" DESC, (SELECT 1)", "1 OR zqxq=zqxq",
    "", " ", "0", "-1", "1", "2147483647", "2147483648", "-2147483649", "9223372036854775808",
    "9" * 40, "1e309", "NaN", "1.5", "0x10", "1_000", "٣", "９", "½", "null", "true", "[]", "{}",
    "[" * 300, "(" * 200 + ")" * 200, "\x00", "a\x00b", "\x1b[31m", "a\r\nX-Y: z", "\x85", "\u2028",
    "😀" * 50, "e\u0301" * 60, "\u202egnp.exe", "\ufeff", "\ud800", "\udfff", "\ufdd0", "ﷺ" * 40,
    "a" * 301, "a" * 20_000, "%", "%s%n", "%(x)s", "{x}", "{0.__class__}", "_", "\\", "\\x",
    "'", '"', "' OR 1=1 --", "../../x", "C:\\x", "<b>", "</textarea>", "</script>", "&amp;",
    "2026-02-30", "0000-00-00", "0001-01-01", "9999-12-31", "99999-01-01", "2026-11-28T25:61",
    "9999-12-31T23:59", "0001-01-01T00:00", "31-12-2026", "24:00", "00:00", "-1:00", "07.30",
    "+62", "0" * 16, "3325014502909901", "a@b", "a@b.c\r\nBcc: x@y.z", "x@" + "a" * 250 + ".id",
    "https://", "http://[::1", "javascript:x", "33.25.01", "33.25.99.9999", "id", "en", "xx",
    "+".join("a" * 10 for _ in range(9)),
)  # fmt: skip
#: Words of the panel that lead deeper than what is made up.
WORDS: Final = (
    "verify_file", "sign", "send", "resubmit", "intake", "done", "nothing", "good", "spoiled",
    "delivered", "returned", "requirement", "signed", "recap.pdf", "register.csv", "due.xlsx",
    "present", "missing", "unreadable", "match", "mismatch", "definitif", "plt", "y", "on", "other",
)  # fmt: skip

texts: Final = st.one_of(
    st.sampled_from(NASTY),
    st.sampled_from(WORDS),
    st.text(max_size=40),
    st.integers().map(str),
    st.dates().map(str),
    st.datetimes().map(lambda moment: moment.isoformat(timespec="minutes")),
    st.floats().map(str),
)


@cache
def _files() -> tuple[tuple[str, bytes], ...]:
    return (
        ("", b""),
        ("kosong.pdf", b""),
        ("surat.pdf", samples.pdf()),
        ("foto.jpg", samples.jpeg()),
        ("foto.png", samples.png()),
        ("surat.pdf", b"%PDF-1.4\n%%EOF"),
        ("foto.jpg", samples.jpeg()[:200]),
        ("r.xlsx", b"PK\x03\x04" + bytes(60)),
        ("r.csv", "Nama;NIK\n\ud83d".encode("utf-8", "replace")),
        ("\u202efdp.exe", samples.EXE),
        ("a" * 300 + ".pdf", samples.pdf()),
        ('"; filename="x.pdf', samples.png()),
        ("../../x.png", samples.png()),
    )


Sent = tuple[list[tuple[str, str]], list[File]]


@st.composite
def sendings(draw: Any, form: WebForm) -> Sent:
    """A form with some of its fields changed, left out, doubled, unknown, or files for texts."""
    data, files = form.sent(), list[File]()
    if form.buttons and draw(st.integers(0, 4)):
        name, value, _action = draw(st.sampled_from(form.buttons))
        if name:
            data.append((name, value))
    names = [one.name for one in form.fields if one.name != "csrf_token"] or ["x"]
    if len(names) > 6 and draw(st.booleans()):
        chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3))
    else:
        chosen = names if draw(st.booleans()) else draw(st.lists(st.sampled_from(names)))
    for name in dict.fromkeys(chosen):
        how = draw(st.integers(0, 9))
        kept = [pair for pair in data if pair[0] != name]
        if how <= 6:
            data = [*kept, (name, draw(_values(form, name)))]
        elif how == 7:
            data = kept
        elif how == 8:
            data = [*data, (name, draw(_values(form, name))), (name, draw(texts))]
        else:
            data = kept
            files.append((name, *draw(st.sampled_from(_files()))))
    for name in form.files:
        files += [
            (name, *draw(st.sampled_from(_files()))) for _number in range(draw(st.integers(0, 2)))
        ]
    if not draw(st.integers(0, 5)):
        data.append((draw(texts)[:200] or "x", draw(texts)))
    return [(_sendable(name), value) for name, value in data], files


def _values(form: WebForm, name: str) -> st.SearchStrategy[str]:
    """What may stand in a field: what it offers, what other fields hold, and anything."""
    offered = [
        value for one in form.fields if one.name == name for value in (*one.options, one.value)
    ]
    others = [one.value for one in form.fields if one.kind not in TYPED and one.value]
    known = [value for value in (*offered, *others[:20]) if len(value) < 300]
    return st.one_of(texts, st.sampled_from(known)) if known else texts


def _sendable(name: str) -> str:
    """A field's name as the multipart encoder of the test client can write it."""
    name = name.encode("utf-8", "replace").decode()
    return "".join(letter for letter in name if letter >= " " and letter not in '"\\') or "x"


# --- addresses -----------------------------------------------------------------------------------


@cache
def parameters() -> tuple[str, ...]:
    """Every name that the panel reads from an address, found in its source, and FAB's own."""
    root = Path(__file__).resolve().parents[2] / "app"
    found: set[str] = set()
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"args(?:\.get(?:list)?\(|\[)\s*\"(\w+)\"", text))
    return tuple(sorted(found))


def queries(names: Sequence[str], view: str) -> st.SearchStrategy[str]:
    """A query: parameters the page knows and does not, with anything in them."""
    own = [f"page_{view}", f"psize_{view}", f"_oc_{view}", f"_od_{view}"]
    filters = [f"_flt_{n}_{column}" for n in (0, 1, 7) for column in ("step", "number", "name")]
    known = st.sampled_from([*names, *parameters(), *own, *filters])
    pair = st.tuples(st.one_of(known, known, known, texts), texts)
    return st.lists(pair, max_size=6).map(
        lambda pairs: "&".join(f"{_quoted(name[:300])}={_quoted(value)}" for name, value in pairs)
    )


def parts() -> st.SearchStrategy[str]:
    """What may stand in a path where a key belongs."""
    return texts.map(lambda text: _quoted(text[:2000]))


def _quoted(text: str) -> str:
    """As a browser or a script writes it, half a character too."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


# --- answers -------------------------------------------------------------------------------------

_INSIDE: Final = re.compile(
    r"Traceback \(most recent|sqlalchemy|sqlite3\.|psycopg|werkzeug\.|flask\.|jinja2\.|File \"/"
    r"|(?:Operational|Integrity|Data|Programming|Key|Value|Type|Attribute|Index|Unicode\w*)Error\b"
    r"|\bSELECT [a-z_]+\.|\bINSERT INTO [a-z]|\bUPDATE [a-z_]+ SET|\bDELETE FROM [a-z]|site-packages"
)


def faults(status: int, text: str, sent: str) -> list[str]:
    """What an answer must never be or say; what was sent itself may stand in it."""
    found = [f"status {status}"] if status >= 500 else []
    shown = _INSIDE.search(text)
    if shown is not None and shown[0] not in sent:
        around = text[max(0, shown.start() - 80) : shown.end() + 80]
        found.append(f"says {around!r}")
    return found


#: Typed fields that no page repeats.
_SECRETS: Final = frozenset({"pin", "code"})


def kept(form: WebForm, data: list[tuple[str, str]], again: Sequence[WebForm]) -> list[str]:
    """The typed fields of a refused form that lost what was typed."""
    path = form.action.partition("?")[0]
    same = [one for one in again if one.action.partition("?")[0] == path]
    shown = {one.name: one.value for f in same for one in f.fields if one.kind in TYPED}
    lost = []
    for one in form.fields:
        values = [value for name, value in data if name == one.name]
        if one.name in _SECRETS or one.kind not in TYPED or len(values) != 1:
            continue
        if one.name not in shown:
            continue
        if _plain(values[0])[:200] and not _plain(shown[one.name]):
            lost.append(f"{one.name}={values[0][:60]!r}")
    return lost


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())
