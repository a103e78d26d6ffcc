"""A template and its data become a PDF; a template's mistake becomes a sentence.

The office changes a paper by putting a file of the same name into its own folder: that file takes
the place of ours, the others stay. Data travel as JSON, so a name full of markup is just a name.

Ours are drawn here; a paper in which a file of the office takes part is drawn by a program of its
own (`compiler`): a template is a program, and theirs may have come from anywhere.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import typst

from app.sop.errors import SopError
from app.sop.text import N_

#: Our own templates; never written to.
OWN: Final = Path(__file__).resolve().parents[2] / "papers"
#: The papers there are, each with the template that draws it.
PAPERS: Final[Mapping[str, str]] = {
    "receipt": "receipt.typ",
    "receipt_80mm": "receipt-80mm.typ",
    "return_slip": "return-slip.typ",
    "draft_cover": "draft-cover.typ",
    "label": "label.typ",
    "manifest": "manifest.typ",
    "processing_letter": "processing-letter.typ",
    "recap": "recap.typ",
    "breach_notice": "breach-notice.typ",
}
#: What the office may put beside its templates.
_PARTS: Final = frozenset({".typ", ".svg", ".png", ".jpg", ".jpeg"})
#: The emblem in the letterhead, where the office has given one; the first that is there.
EMBLEMS: Final = ("lambang.svg", "lambang.png", "lambang.jpg")
_MOST_BYTES: Final = 5 * 1024 * 1024
_MOST_FILES: Final = 100
_PLACE: Final = re.compile(r"┌─ (?:.*[/\\])?([^/\\\n]+?):(\d+):\d+")
_PACKAGE: Final = re.compile(r'"@[a-z-]+/')
#: How the compiler says that a package was asked for, however its name was put together.
_PACKAGE_WANTED: Final = re.compile(r"failed to download package|package not found")
_COMPILER: Final = Path(__file__).with_name("compiler.py")
#: Ours take a hundredth of this.
_MOST_SECONDS: Final = 30
#: No name is looked up and no host is asked: every way out leads to a door that is shut.
_CLOSED: Final = "http://127.0.0.1:1"

MESSAGES: Final[Mapping[str, str]] = {
    "paper_mistake": N_(
        "The paper could not be made: %(file)s, line %(line)s: %(message)s. Mend the template or"
        " take it out of the office's folder of templates."
    ),
    "paper_mistake_somewhere": N_(
        "The paper could not be made from %(file)s: %(message)s. Mend the template or take it out"
        " of the office's folder of templates."
    ),
    "paper_package": N_(
        "The paper could not be made: %(file)s, line %(line)s asks for a package from the internet."
        " Templates use only files of their own folder."
    ),
    "paper_endless": N_(
        "The paper could not be made from %(file)s: the template does not come to an end. Mend it"
        " or take it out of the office's folder of templates."
    ),
    "paper_not_returned": N_("There is a return slip only while a case waits for the applicant."),
    "paper_no_draft": N_(
        "There is nothing to submit yet: the SIAK check is not recorded as matching and no output"
        " document is named."
    ),
    "paper_nothing_waits": N_("No paper of this case waits for a blank card."),
    "paper_no_label": N_("Choose at least one case whose label is to be printed."),
    "paper_no_parcels": N_("No parcel was given to %(courier)s on that day."),
    "paper_too_many_parcels": N_(
        "%(count)s parcels on one day are more than a hand-over list holds (%(most)s)."
    ),
}


class PaperError(SopError):
    """A template cannot be turned into a paper; `params` name its file and, if known, the line."""


def render(
    paper: str, data: Mapping[str, Any], *, folder: Path | None = None, now: datetime | None = None
) -> bytes:
    """The paper as a PDF with embedded fonts, the same bytes for the same data and moment.

    `folder` holds the office's own templates, pictures and fonts; what is there comes before ours.

    Raises:
        PaperError: the template has a mistake.
    """
    template = PAPERS[paper]
    moment = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    with _templates(folder) as root:
        _refuse_packages(root, template)
        emblem = next((name for name in EMBLEMS if (root / name).is_file()), "")
        values = json.dumps({**data, "emblem": emblem}, ensure_ascii=False)
        if root != OWN:
            return _drawn_apart(root, template, values, folder, moment)
        try:
            return typst.compile(
                str(root / template),
                root=str(root),
                font_paths=_fonts(_font_folders(folder)),
                sys_inputs={"data": values},
                timestamp=moment,
            )
        except typst.TypstError as error:
            raise _mistake(error.message, error.diagnostic, template) from None
        except RuntimeError as error:  # a template that is no text, or a file that is not there
            raise _mistake(str(error), None, template) from None


def _drawn_apart(
    root: Path, template: str, values: str, folder: Path | None, moment: datetime
) -> bytes:
    """The same by a program that knows no settings, reads no other folder and reaches no network.

    Raises:
        PaperError: the template has a mistake, or no end.
    """
    job = {
        "root": str(root),
        "template": str(root / template),
        "fonts": [path for path, _changed in _font_folders(folder)],
        "data": values,
        "moment": moment.timestamp(),
        "nowhere": str(root / "packages"),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_COMPILER)],
            input=json.dumps(job).encode(),
            capture_output=True,
            cwd=root,
            env=_environment(),
            timeout=_MOST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PaperError("paper_endless", file=template) from None
    if done.returncode == 0:
        return done.stdout
    if done.returncode != 3:
        message = _line(done.stderr.decode("utf-8", "replace").rpartition("\n")[2])
        raise PaperError("paper_mistake_somewhere", file=template, message=message)
    said = json.loads(done.stdout)
    raise _mistake(said["message"], said["diagnostic"], template)


def _environment() -> dict[str, str]:
    """Nothing of the panel's; Windows starts no program without its own folder."""
    closed = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"), _CLOSED)
    kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return {**kept, **closed}


@contextmanager
def _templates(folder: Path | None) -> Iterator[Path]:
    """Our templates, or a copy of them with the office's files in their place."""
    theirs = _parts(folder)
    if not theirs:
        yield OWN
        return
    with tempfile.TemporaryDirectory(prefix="aduan-papers-") as name:
        root = Path(name)
        for part in (*_parts(OWN), *theirs):
            shutil.copyfile(part, root / part.name)
        yield root


def _parts(folder: Path | None) -> list[Path]:
    """The files of a folder that a template may consist of; none when there is no folder."""
    if folder is None or not folder.is_dir():
        return []
    here = folder.resolve()
    found = [
        part
        for part in sorted(folder.iterdir())
        if part.suffix.lower() in _PARTS
        # A link that leads out of the folder is no file of the office's.
        and part.resolve().is_relative_to(here)
        and part.is_file()
        and part.stat().st_size <= _MOST_BYTES
    ]
    return found[:_MOST_FILES]


def _refuse_packages(root: Path, template: str) -> None:
    """No template fetches anything: the office's machine may have no way out, and shall need none.

    Raises:
        PaperError: one names a package.
    """
    if root == OWN:
        return
    others = set(PAPERS.values()) - {template}
    for part in sorted(root.glob("*.typ")):
        if part.name in others:  # a mistake in one paper stops no other
            continue
        text = part.read_text(encoding="utf-8", errors="replace")
        if found := _PACKAGE.search(text):
            line = text.count("\n", 0, found.start()) + 1
            raise PaperError("paper_package", file=part.name, line=line)


def _font_folders(folder: Path | None) -> tuple[tuple[str, int], ...]:
    """Our fonts and the office's; with the time of the last change, so that a new font is seen."""
    folders = [OWN / "fonts"]
    if folder is not None and (folder / "fonts").is_dir():
        folders.append(folder / "fonts")
    return tuple((str(path), path.stat().st_mtime_ns) for path in folders)


@lru_cache(maxsize=4)
def _fonts(folders: tuple[tuple[str, int], ...]) -> typst.Fonts:
    """The fonts of the folders and none of the machine's, so a paper looks the same everywhere."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=True,  # for letters that ours lack
        font_paths=[path for path, _changed in folders],
    )


def _mistake(said: str, diagnostic: str | None, template: str) -> PaperError:
    message = _line(said)
    place = _PLACE.search(diagnostic or "")
    if place is None:
        return PaperError("paper_mistake_somewhere", file=template, message=message)
    if _PACKAGE_WANTED.match(said):
        return PaperError("paper_package", file=place[1], line=int(place[2]))
    return PaperError("paper_mistake", file=place[1], line=int(place[2]), message=message)


def _line(text: str) -> str:
    """What the compiler says, in one line and without the path of a folder."""
    words = re.sub(r"(?:[A-Za-z]:)?[/\\][^\s`'\")]*[/\\]", "", " ".join(text.split()))
    return words[:200].rstrip(". ")
