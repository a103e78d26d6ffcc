"""What can be done to a signed PDF behind its signer's back, each as a function of its bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

Change = Callable[[bytes], bytes]

OVERLAY: Final = b"1 g 0 0 595 842 re f 0 g 50 50 100 100 re f"


@cache
def form_pdf() -> bytes:
    """A PDF with a text field, and a second page's worth of content that no page shows."""
    document = Pdf.new()
    document.add_blank_page(page_size=(595, 842))
    page = document.pages[0]
    page.Contents = document.make_stream(b"0 0 1 rg 100 100 200 50 re f")
    field = document.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Tx,
            T=String("nama"),
            V=String("Contoh"),
            Rect=Array([100, 700, 300, 720]),
            P=page.obj,
        )
    )
    page.Annots = Array([field])
    other = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, 595, 842]),
        Contents=document.make_stream(b"1 0 0 rg 100 100 200 50 re f"),
    )
    document.Root.AcroForm = Dictionary(Fields=Array([field]))
    document.Root.Spare = document.make_indirect(
        Dictionary(Type=Name.Pages, Count=1, Kids=Array([document.make_indirect(other)]))
    )
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _revision(change: Callable[[IncrementalPdfFileWriter], None]) -> Change:
    """A change appended as a revision of its own, which leaves every signed byte alone."""

    def apply(pdf: bytes) -> bytes:
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        change(writer)
        out = io.BytesIO()
        writer.write(out)
        assert out.getvalue().startswith(pdf)
        return out.getvalue()

    return apply


def _stream(data: bytes) -> generic.StreamObject:
    return generic.StreamObject(stream_data=data)


def _numbers(*values: float) -> generic.ArrayObject:
    return generic.ArrayObject(map(generic.FloatObject, values))


def _appearance(writer: IncrementalPdfFileWriter) -> generic.DictionaryObject:
    form = _stream(OVERLAY)
    form[pdf_name("/Type")] = pdf_name("/XObject")
    form[pdf_name("/Subtype")] = pdf_name("/Form")
    form[pdf_name("/BBox")] = _numbers(0, 0, 595, 842)
    return generic.DictionaryObject({pdf_name("/N"): writer.add_object(form)})


def _first_page(writer: IncrementalPdfFileWriter) -> generic.DictionaryObject:
    page = writer.root["/Pages"]["/Kids"][0]
    assert isinstance(page, generic.DictionaryObject)
    return page


def _add_to_page(writer: IncrementalPdfFileWriter, annotation: generic.DictionaryObject) -> None:
    page = _first_page(writer)
    reference = writer.add_object(annotation)
    if "/Annots" in page:
        page["/Annots"].append(reference)
        writer.update_container(page["/Annots"])
    else:
        page[pdf_name("/Annots")] = generic.ArrayObject([reference])
    writer.update_container(page)


def _annotation(writer: IncrementalPdfFileWriter) -> None:
    """A picture over the whole page."""
    _add_to_page(
        writer,
        generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name("/Stamp"),
                pdf_name("/Rect"): _numbers(0, 0, 595, 842),
                pdf_name("/AP"): _appearance(writer),
                pdf_name("/F"): generic.NumberObject(4),
            }
        ),
    )


def _unsigned_field(writer: IncrementalPdfFileWriter) -> None:
    """A field for a signature nobody has given, whose picture lies over the whole page."""
    field = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Widget"),
            pdf_name("/FT"): pdf_name("/Sig"),
            pdf_name("/T"): generic.pdf_string("Lapisan"),
            pdf_name("/Rect"): _numbers(0, 0, 595, 842),
            pdf_name("/AP"): _appearance(writer),
            pdf_name("/F"): generic.NumberObject(4),
        }
    )
    reference = writer.add_object(field)
    fields = writer.root["/AcroForm"]["/Fields"]
    fields.append(reference)
    writer.update_container(fields)
    page = _first_page(writer)
    page["/Annots"].append(reference)
    writer.update_container(page["/Annots"])
    writer.update_container(page)


def _content(writer: IncrementalPdfFileWriter) -> None:
    """More painted onto the page."""
    writer.add_stream_to_page(0, writer.add_object(_stream(OVERLAY)))


def _other_content(writer: IncrementalPdfFileWriter) -> None:
    """Another content in the place of the signed one."""
    page = _first_page(writer)
    page[pdf_name("/Contents")] = writer.add_object(_stream(OVERLAY))
    writer.update_container(page)


def _another_page(writer: IncrementalPdfFileWriter) -> None:
    page = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Page"),
            pdf_name("/MediaBox"): _numbers(0, 0, 595, 842),
            pdf_name("/Contents"): writer.add_object(_stream(OVERLAY)),
            pdf_name("/Resources"): generic.DictionaryObject(),
        }
    )
    writer.insert_page(page)


def _spare_pages(writer: IncrementalPdfFileWriter) -> None:
    """The pages that were signed along unseen take the place of those that were seen."""
    if "/Spare" in writer.root:
        writer.root[pdf_name("/Pages")] = writer.root.raw_get("/Spare")
    else:
        writer.root[pdf_name("/Pages")] = writer.root.raw_get("/Pages").get_object()
    writer.update_root()


def _title(writer: IncrementalPdfFileWriter) -> None:
    info = generic.DictionaryObject({pdf_name("/Title"): generic.pdf_string("Lain")})
    writer.set_info(writer.add_object(info))


def _loose_object(writer: IncrementalPdfFileWriter) -> None:
    writer.add_object(_stream(b"tidak tampak"))


def _nothing(writer: IncrementalPdfFileWriter) -> None:
    writer.update_root()


def _field_value(writer: IncrementalPdfFileWriter) -> None:
    """Another text in a form field: fine to the PDF standard, a changed paper to an office."""
    field = writer.root["/AcroForm"]["/Fields"][0]
    field[pdf_name("/V")] = generic.pdf_string("Orang Lain")
    writer.update_container(field)


def saved_anew(pdf: bytes) -> bytes:
    """The same pages, written by another program."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.save(out)
    return out.getvalue()


def signature_dropped(pdf: bytes) -> bytes:
    """The pages without their form, saved anew: the picture of the mark may stay."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        del document.Root.AcroForm
        for page in document.pages:
            del page.obj.Annots
        document.save(out)
    return out.getvalue()


def in_the_padding(pdf: bytes) -> bytes:
    """Something hidden in the room left over behind the signature itself."""
    end = pdf.index(b"0>", pdf.rindex(b"/Contents"))
    return pdf[: end - 8] + b"deadbeef" + pdf[end:]


#: What it is called -> how it is done. All leave a page that shows.
CHANGES: Final[Mapping[str, Change]] = {
    "a picture over the page": _revision(_annotation),
    "an unsigned field over the page": _revision(_unsigned_field),
    "more on the page": _revision(_content),
    "another content of the page": _revision(_other_content),
    "another page": _revision(_another_page),
    "pages that were signed unseen": _revision(_spare_pages),
    "another title": _revision(_title),
    "an object nobody sees": _revision(_loose_object),
    "a revision that says nothing": _revision(_nothing),
    "another text in a form field": _revision(_field_value),
    "a line behind its end": lambda pdf: pdf + b"% lain\n",
    "one more line feed": lambda pdf: pdf + b"\n",
    "a byte before its beginning": lambda pdf: b"\n" + pdf,
    "saved anew": saved_anew,
    "bytes in the padding": in_the_padding,
    "its last line cut off": lambda pdf: pdf[: pdf.rindex(b"%%EOF")],
}
