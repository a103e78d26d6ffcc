"""A workbook is looked through as a stream before a reader builds it: what it unpacks to is bounded.

An XLSX is a zip of XML, and three small lies make it large: a member that unpacks to gigabytes, a
single cell far to the right and below (readers lay out everything between), and one long text that
thousands of cells refer to. Each is counted here first, within a fixed amount of memory.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat

from app.sop.errors import FileRefusedError

#: Bytes that all members of a workbook may unpack to.
MOST_UNPACKED: Final = 64 * 1024 * 1024
MOST_MEMBERS: Final = 300
#: Letters of all cells of one sheet together.
MOST_LETTERS: Final = 32 * 1024 * 1024
#: What Excel itself allows in one cell.
LONGEST_CELL: Final = 32_767
_PIECE: Final = 64 * 1024
_CELL: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
#: What lies in a workbook beside its XML; nobody looks at it.
_IGNORED: Final = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".emf", ".wmf", ".bin", ".vml", ".svg")


def check_workbook(data: bytes, *, most_rows: int, most_columns: int) -> None:
    """Go on only with a workbook that unpacks to little and whose cells lie close together.

    Raises:
        FileRefusedError: `sheet_unreadable`, `sheet_too_large`, `sheet_too_many_rows`,
            `sheet_too_many_columns`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                raise FileRefusedError("sheet_too_large")
            if sum(member.file_size for member in members) > MOST_UNPACKED:
                raise FileRefusedError("sheet_too_large")
            _look_through(archive, members, _Bounds(most_rows, most_columns))
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError) as error:
        raise FileRefusedError("sheet_unreadable") from error
    except (NotImplementedError, RuntimeError, ValueError, OSError) as error:
        # Encrypted, packed in a way nobody uses, a broken offset.
        raise FileRefusedError("sheet_unreadable") from error


@dataclass
class _Bounds:
    most_rows: int
    most_columns: int
    left: int = MOST_UNPACKED
    #: The length of each shared text, in their order.
    shared: list[int] = field(default_factory=list)


def _look_through(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], bounds: _Bounds
) -> None:
    """Shared texts first: the cells refer to them."""
    names = [member.filename for member in members]
    if len(set(map(str.lower, names))) != len(names):
        raise FileRefusedError("sheet_unreadable")  # two files of one name: which is read?
    members = [member for member in members if not member.filename.lower().endswith(_IGNORED)]
    members.sort(key=lambda member: "sharedstrings" not in member.filename.lower())
    for member in members:
        if not member.is_dir():
            _Part(bounds).read(_pieces(archive, member, bounds))


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo, bounds: _Bounds) -> Iterator[bytes]:
    """What a member really unpacks to, whatever its header says."""
    with archive.open(member) as stream:
        while piece := stream.read(_PIECE):
            bounds.left -= len(piece)
            if bounds.left < 0:
                raise FileRefusedError("sheet_too_large")
            yield piece


class _Part:
    """One XML file of a workbook, whatever it is: counts its shared texts and its cells."""

    def __init__(self, bounds: _Bounds) -> None:
        self.bounds = bounds
        self.letters = 0
        self.in_shared = self.in_value = False
        self.refers = False
        self.length = 0
        self.value = ""

    def read(self, pieces: Iterator[bytes]) -> None:
        """Parse it piece by piece."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        parser.StartDoctypeDeclHandler = self.doctype
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)

    def doctype(self, *rest: Any) -> None:
        raise FileRefusedError("sheet_unreadable")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "si":
            self.in_shared, self.length = True, 0
        elif tag == "c":
            self.place(attributes.get("r", ""))
            self.refers = attributes.get("t") == "s"
            self.value = ""
        elif tag == "row":
            self.row(attributes.get("r", ""))
        elif tag == "v":
            self.in_value = True
        elif tag == "Relationship":
            self.relationship(attributes)

    def end(self, name: str) -> None:
        tag = name.rpartition(":")[2]
        if tag == "si":
            self.bounds.shared.append(self.length)
            self.in_shared = False
        elif tag == "v":
            self.in_value = False
            self.refer()

    def text(self, data: str) -> None:
        if self.in_shared:
            self.length += len(data)
            if self.length > LONGEST_CELL:
                raise FileRefusedError("sheet_too_large")
        elif self.in_value and self.refers:
            self.value = (self.value + data)[:12]

    def place(self, reference: str) -> None:
        """A cell far away makes a reader lay out all that lies between."""
        if not reference:
            return
        found = _CELL.fullmatch(reference)
        if found is None:
            raise FileRefusedError("sheet_unreadable")
        column = 0
        for letter in found[1]:
            column = column * 26 + ord(letter) - ord("A") + 1
        if column > self.bounds.most_columns:
            most = self.bounds.most_columns
            raise FileRefusedError("sheet_too_many_columns", most=most)
        self.row(found[2])

    def row(self, number: str) -> None:
        if number and (not number.isdigit() or int(number) > self.bounds.most_rows):
            raise FileRefusedError("sheet_too_many_rows", most=self.bounds.most_rows)

    def refer(self) -> None:
        """Each use of a shared text counts: readers copy it into every cell."""
        if not self.refers or not self.value.strip().isdigit():
            return
        index = int(self.value)
        if index >= len(self.bounds.shared):
            return
        self.letters += self.bounds.shared[index]
        if self.letters > MOST_LETTERS:
            raise FileRefusedError("sheet_too_large")

    def relationship(self, attributes: dict[str, str]) -> None:
        """What a reader follows must be a part that was looked through."""
        kind = attributes.get("Type", "").rpartition("/")[2]
        target = attributes.get("Target", "").lower()
        followed = kind in ("worksheet", "sharedStrings", "styles", "officeDocument", "table")
        if followed and target.endswith(_IGNORED):
            raise FileRefusedError("sheet_unreadable")
