"""The lines of a list are written as text: what is not markup is escaped, what may not be is not there."""

from __future__ import annotations

import pytest
from flask import Flask
from markupsafe import Markup, escape

from app.views.cells import Line, cell_text, drawn_options, nowrap, plain_words, table_lines

EVIL = "<script>alert('x')</script>&\""
SAFE = str(escape(EVIL))


def drawn(app: Flask, line: Line, *lines: tuple[object, list[Markup]]) -> str:
    with app.test_request_context():
        return str(table_lines(line, lines))


def address(pk: object) -> str:
    return f"/x/{pk}"


def test_words_of_people_are_escaped_wherever_they_stand(app: Flask) -> None:
    line = Line(labels=[EVIL, EVIL], choose="Choose %(name)s", show=address, edit=address)
    text = drawn(app, line, (7, [cell_text(EVIL), cell_text(EVIL)]))
    assert "<script>" not in text
    # Two labels, two cells, the tick box, and the words of the link to the form.
    assert text.count(SAFE) == 6


def test_a_key_is_escaped_in_its_tick_box(app: Flask) -> None:
    line = Line(labels=["A"], choose="Choose %(name)s", show=None, edit=None)
    assert f'value="{escape(EVIL)}"' in drawn(app, line, (EVIL, [cell_text("a")]))


@pytest.mark.parametrize(
    ("choose", "show", "edit", "missing"),
    [
        pytest.param(None, address, address, "checkbox", id="no action, no tick box"),
        pytest.param("%(name)s", None, address, 'href="/x/7">a<', id="no page, no link to it"),
        pytest.param("%(name)s", address, None, "row-edit", id="no form, no way to it"),
    ],
)
def test_what_an_officer_may_not_do_has_no_way_in_a_line(
    app: Flask, choose: str | None, show: object, edit: object, missing: str
) -> None:
    lines = (7, [cell_text("a"), cell_text("b")])
    everything = drawn(app, Line(["A", "B"], "%(name)s", address, address), lines)
    assert missing in everything
    assert missing not in drawn(app, Line(["A", "B"], choose, show, edit), lines)  # type: ignore[arg-type]


def test_a_line_without_a_name_is_named_by_its_key(app: Flask) -> None:
    line = Line(labels=["A", "B"], choose=None, show=address, edit=None)
    text = drawn(app, line, (7, [cell_text(""), cell_text("b")]))
    assert '<span class="sr-only">Buka 7</span>' in text


def test_every_cell_closes_what_it_opens(app: Flask) -> None:
    for count in (1, 2, 5):
        line = Line(labels=["A"] * count, choose="%(name)s", show=address, edit=address)
        text = drawn(app, line, (7, [cell_text("a")] * count), (8, [cell_text("b")] * count))
        for tag in ("tr", "td", "div", "a", "span", "label"):
            assert text.count(f"<{tag}") == text.count(f"</{tag}>"), tag
        assert text.count("<tr") == 2
        assert text.count("data-label") == 2 * count


def test_a_line_with_a_cell_too_many_is_a_mistake_of_ours(app: Flask) -> None:
    line = Line(labels=["A", "B"], choose=None, show=None, edit=None)
    with pytest.raises(ValueError, match="zip"):
        drawn(app, line, (7, [cell_text("a")] * 3))


@pytest.mark.parametrize(
    "markup",
    [nowrap("PGD 1"), nowrap("a<b"), nowrap("a", "b"), Markup("<b>x</b> y"), escape("a & b")],
)
def test_plain_words_are_what_markup_says(markup: Markup) -> None:
    assert plain_words(markup) == markup.striptags()


def test_a_choice_marks_what_is_chosen_and_escapes_what_it_offers() -> None:
    options = (("1", EVIL), (EVIL, "b"))
    assert str(drawn_options(options, "1")) == (
        f'<option value="1" selected>{SAFE}</option><option value="{SAFE}">b</option>'
    )
    assert " selected" not in drawn_options(options, "")
