"""The catalogue of messages, found once a request and not once a message."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, has_app_context
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


def _at_hand() -> Any:
    """The catalogue that was found before for the language of now, None when there is none."""
    if not has_app_context():
        return None
    kept = g._get_current_object().__dict__.get("_flask_babel")
    if kept is None:
        return None
    values = kept.__dict__
    found = values.get("office_catalogue")
    return found[1] if found is not None and found[0] is values.get("babel_locale") else None


@pass_eval_context
def template_gettext(context: EvalContext, message: str, **variables: Any) -> str:
    """A message in a template: what is put into it is escaped, as with Jinja's own.

    Jinja's own asks for the whole context, which it copies for every call within a loop.
    """
    catalogue = _at_hand() or get_domain().get_translations()
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
    app.jinja_env.globals.update(gettext=template_gettext, _=template_gettext)
