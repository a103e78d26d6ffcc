"""The catalogue of messages, found once a request and not once a message."""

from __future__ import annotations

from typing import Any

import flask_babel
from flask import Flask
from flask.globals import _cv_app
from flask_babel import Domain, get_domain, get_locale
from flask_babel import _get_current_context as current_context
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup


class OfficeDomain(Domain):
    """Flask-Babel's domain, which looks for the language's catalogue at every message."""

    def get_translations(self) -> Any:
        """The catalogue of the request's language; a language that was changed is seen."""
        found = _at_hand()
        if found is None and (context := current_context()) is not None:
            locale = get_locale()
            found = super().get_translations()
            context.office_catalogue = (locale, found)
        return found if found is not None else super().get_translations()


def _context() -> dict[str, Any] | None:
    """What Flask-Babel keeps of this request; its own way there passes four proxies."""
    here = _cv_app.get(None)
    kept = here.g.__dict__.get("_flask_babel") if here is not None else None
    return kept.__dict__ if kept is not None else None


def _at_hand() -> Any:
    """The catalogue that was found before for the language of now, None when there is none."""
    values = _context()
    found = values.get("office_catalogue") if values is not None else None
    return found[1] if values and found and found[0] is values.get("babel_locale") else None


def _domain() -> Domain:
    """The domain of this request, asked for at each message that is no template's."""
    values = _context()
    found = values.get("babel_domain") if values is not None else None
    return found if found is not None else get_domain()


def language_of_now() -> str:
    """The language of this request's texts."""
    values = _context()
    found = values.get("babel_locale") if values is not None else None
    found = found if found is not None else get_locale()
    return found.language if found is not None else "id"


def catalogue_of_now() -> Any:
    """The catalogue of the request's language."""
    return _at_hand() or get_domain().get_translations()


@pass_eval_context
def template_gettext(context: EvalContext, message: str, **variables: Any) -> str:
    """A message in a template: what is put into it is escaped, as with Jinja's own.

    Jinja's own asks for the whole context, which it copies for every call within a loop.
    """
    return worded(catalogue_of_now(), context, message, **variables)


def worded(catalogue: Any, context: EvalContext, message: str, **variables: Any) -> str:
    """A message of a catalogue, safe on a page."""
    text: str = catalogue.ugettext(message)
    if context.autoescape:
        text = Markup(text)  # noqa: S704 - catalogues are part of the program
    # Only a message with gaps is read for them.
    return text % variables if variables or "%" in text else text


def install(app: Flask) -> None:
    """Put both in the place of the extension's."""
    instance = app.extensions["babel"].instance
    domain = OfficeDomain()
    domain.__dict__.update(instance.domain_instance.__dict__)
    instance.domain_instance = domain
    flask_babel.get_domain = _domain  # where its gettext and ngettext look for it
    app.jinja_env.globals.update(gettext=template_gettext, _=template_gettext)
