"""The two catalogues, Indonesian and English: extract, update, compile, and find every gap.

    python tools/i18n.py update     extract, update both .po files, compile, list the gaps
    python tools/i18n.py check      change nothing; list the gaps (part of `make check`)
    python tools/i18n.py compile    .po to .mo where the .mo is missing or older

Message ids are plain English sentences. Beside the application's own they are taken from the
sources of Flask-AppBuilder and WTForms, which bring no Indonesian: one catalogue covers what a
page can say. English is filled in from the id; Indonesian is written by people.

A gap is: an empty or fuzzy translation, placeholders or tags that differ from the id's, spaces at
the ends that differ, a message the sources no longer have, or a call that no tool can extract.
"""

from __future__ import annotations

import ast
import io
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog, Message

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "app"
TRANSLATIONS = ROOT / "translations"
LANGUAGES = ("id", "en")
PLURALS = {"id": (1, "0"), "en": (2, "(n != 1)")}
LIBRARIES = {"Flask-AppBuilder": "flask_appbuilder", "WTForms": "wtforms"}
FUNCTIONS = {"_", "_l", "N_", "gettext", "lazy_gettext", "ngettext", "lazy_ngettext", "pgettext"}
KEYWORDS = {
    "_": None,
    "_l": None,
    "N_": None,  # marked here, looked up elsewhere
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "lazy_pgettext": ((1, "c"), 2),
}
# `item.delete` reads like a key, not like a sentence: English has to be written for it.
KEY_LIKE = re.compile(r"[a-z0-9]+([._][a-z0-9]+)+")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sdrif]|(?<!\{)\{\w*\}(?!\})")
TAG = re.compile(r"</?[a-zA-Z][^>]*>")
HEADER = "# Aduan's messages. `make i18n` keeps this file in line with the sources."
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)  # a constant: dates in the header would only churn
Text = str | tuple[str, ...] | list[str]


def catalogue(language: str) -> Path:
    """Where a language's messages stand."""
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


# --- compiling, also at every start ---------------------------------------------------------------


def compile_catalogues(folder: Path = TRANSLATIONS) -> list[Path]:
    """Compile every .po whose .mo is missing or older; return what was written.

    Called by run.py and by the tests before the application is made. When nothing has changed it
    only looks at two dates.
    """
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        from babel.messages.mofile import write_mo

        buffer = io.BytesIO()
        write_mo(buffer, _read(source))
        # In one piece: another process may be reading, or writing the same.
        part = target.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(buffer.getvalue())
        part.replace(target)
        written.append(target)
    return written


# --- extracting -----------------------------------------------------------------------------------


def extract() -> Catalog:
    """Every message of the application and of the two libraries, as a template.

    Raises jinja2.TemplateSyntaxError for a template that can't be read: half an extraction would
    throw translations away.
    """
    from babel.messages.catalog import Catalog
    from babel.messages.extract import extract_from_dir
    from babel.messages.frontend import parse_mapping_cfg

    with (ROOT / "babel.cfg").open(encoding="utf-8") as handle:
        methods, options = parse_mapping_cfg(handle, filename="babel.cfg")
    template = Catalog(project="Aduan", charset="utf-8")
    own = extract_from_dir(
        SOURCES,
        methods,
        options,
        keywords=KEYWORDS,
        comment_tags=("Translators:",),
        strip_comment_tags=True,
    )
    for _file, _line, text, comments, context in own:
        template.add(text, auto_comments=comments, context=context)
    for library, package in LIBRARIES.items():
        for message, context in _library_messages(package):
            if template.get(_key(message), context) is None:
                template.add(message, auto_comments=[library], context=context)
    return template


def _library_messages(package: str) -> Iterator[tuple[Text, str | None]]:
    from babel.messages.extract import extract_from_dir

    spec = find_spec(package)
    if spec is None or spec.origin is None:
        sys.exit(f"i18n: {package} is not installed")
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
    for _file, _line, text, _comments, context in extract_from_dir(
        Path(spec.origin).parent, methods, keywords=KEYWORDS
    ):
        yield text if isinstance(text, str) else tuple(text), context


def unextractable() -> Iterator[str]:
    """Calls whose text is put together before it is looked up, so that no catalogue can hold it."""
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            formatted = isinstance(first, ast.Call) and (
                getattr(first.func, "attr", "") == "format"
            )
            if name in FUNCTIONS and (formatted or isinstance(first, ast.JoinedStr | ast.BinOp)):
                where = path.relative_to(ROOT)
                yield (
                    f"{where}:{node.lineno}: the text of {name}() is put together; use named "
                    f'placeholders: {name}("… %(name)s", name=…)'
                )


# --- updating -------------------------------------------------------------------------------------


def update(template: Catalog) -> None:
    """Bring both .po files in line with the sources, keeping every translation that still fits."""
    for language in LANGUAGES:
        path = catalogue(language)
        old = _read(path) if path.exists() else None
        text = _written(_merged(template, old, language))
        if not path.exists() or path.read_bytes() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        gone = len(_messages(old)) - len(_messages(old) & _messages(template)) if old else 0
        print(f"{path.relative_to(ROOT)}: {len(template)} messages, {gone} no longer used")


def _merged(template: Catalog, old: Catalog | None, language: str) -> Catalog:
    from babel.messages.catalog import Catalog

    merged = Catalog(
        locale=language,
        project="Aduan",
        version="1",
        msgid_bugs_address="none",
        charset="utf-8",
        header_comment=(old.header_comment if old else "") or HEADER,
        creation_date=WRITTEN,
        revision_date=WRITTEN,
        last_translator="Aduan contributors",
        language_team=f"{language} <Aduan contributors>",
        fuzzy=False,
    )
    # Babel takes a language that it has no rule for, Indonesian among them, to be like English.
    count, rule = PLURALS[language]
    merged.mime_headers = [("Plural-Forms", f"nplurals={count}; plural={rule};")]
    for message in template:
        if not message.id:
            continue
        known = old.get(_key(message.id), message.context) if old else None
        fits = known is not None and known.pluralizable == message.pluralizable
        empty = ("",) * merged.num_plurals if message.pluralizable else ""
        string: Text = (known.string or empty) if known is not None and fits else empty
        flags = set(message.flags) | ({"fuzzy"} & set(known.flags) if known and fits else set())
        if language == "en" and not _complete(string) and not _reads_like_a_key(message.id):
            string, flags = message.id, flags - {"fuzzy"}
        merged.add(
            message.id,
            string,
            flags=flags,
            auto_comments=message.auto_comments,
            user_comments=known.user_comments if known is not None else (),
            context=message.context,
        )
    return merged


# --- checking -------------------------------------------------------------------------------------


def gaps(template: Catalog) -> Iterator[str]:
    """Everything that keeps a language from being complete, one line each."""
    yield from unextractable()
    wanted = _messages(template)
    for language in LANGUAGES:
        path = catalogue(language)
        name = path.relative_to(ROOT).as_posix()
        if not path.exists():
            yield f"{name}: not there; run make i18n"
            continue
        there = _read(path)
        for identity in sorted(wanted - _messages(there), key=str):
            yield f"{name}: missing: {identity[0]!r}; run make i18n"
        for identity in sorted(_messages(there) - wanted, key=str):
            yield f"{name}: no longer used: {identity[0]!r}; run make i18n"
        for message in there:
            if message.id:
                found = problems(message, there.num_plurals)
                yield from (f"{name}: {problem}" for problem in found)


def problems(message: Message, plurals: int = 1) -> Iterator[str]:
    """What is wrong with one translated message of a language with so many plural forms."""
    shown = repr(_key(message.id))
    forms = plurals if message.pluralizable else 1
    translated = _forms(message.string or "")
    if not _complete(translated) or len(translated) != forms:
        yield f"not translated: {shown}"
        return
    if message.fuzzy:
        yield f"fuzzy: {shown}"
    ids = _forms(message.id)
    # A language without a plural form has one string for both ids: it may use either's.
    allowed = [(Counter(PLACEHOLDER.findall(one)), Counter(TAG.findall(one))) for one in ids]
    for string in translated:
        holders, tags = Counter(PLACEHOLDER.findall(string)), Counter(TAG.findall(string))
        if all(set(holders) != set(one) for one, _tags in allowed):
            yield f"placeholders differ: {shown} -> {string!r}"
        if all(tags != one for _holders, one in allowed):
            yield f"tags differ: {shown} -> {string!r}"
        if _edges(string) != _edges(ids[0]):
            yield f"spaces at the ends differ: {shown} -> {string!r}"


# --- small helpers --------------------------------------------------------------------------------


def _read(path: Path) -> Catalog:
    from babel.messages.pofile import read_po

    with path.open("rb") as handle:
        return read_po(handle, locale=path.parent.parent.name, abort_invalid=True)


def _written(messages: Catalog) -> bytes:
    """The text of a .po: sorted and without line numbers, so that a diff shows words only."""
    from babel.messages.pofile import write_po

    buffer = io.BytesIO()
    write_po(buffer, messages, no_location=True, sort_output=True, width=100, ignore_obsolete=True)
    return buffer.getvalue()


def _messages(messages: Catalog) -> set[tuple[Text, str | None]]:
    return {
        (message.id if isinstance(message.id, str) else tuple(message.id), message.context)
        for message in messages
        if message.id
    }


def _forms(text: Text) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _key(text: Text) -> str:
    return _forms(text)[0]


def _complete(text: Text) -> bool:
    return all(form.strip() for form in _forms(text)) and bool(_forms(text))


def _reads_like_a_key(text: Text) -> bool:
    return bool(KEY_LIKE.fullmatch(_key(text)))


def _edges(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def _report(found: Iterable[str]) -> None:
    lines = list(found)
    for line in lines:
        print(line)
    if lines:
        sys.exit(f"i18n: {len(lines)} gaps")
    print("i18n: both languages are complete")


def main(arguments: list[str]) -> None:
    """See the head of the file."""
    command = arguments[0] if arguments else ""
    if command == "compile":
        for path in compile_catalogues():
            print(path.relative_to(ROOT))
    elif command == "update":
        template = extract()
        update(template)
        compile_catalogues()
        _report(gaps(template))
    elif command == "check":
        _report(gaps(extract()))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
