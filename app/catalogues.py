"""The catalogue of messages, found once a request and not once a message."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_babel import Domain, get_domain, get_locale
from flask_babel import _get_current_context as current_context
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup


class OfficeDomain(Domain):
    """Flask-Babel's domain, which looks for the language's catalogue at every message."""

    def get_translations(self) -> Any:
        """The catalogue of the request's language; a language that was changed is seen."""
        context = current_context()
        if context is None:
            return super().get_translations()
        locale = get_locale()
        found = getattr(context, "office_catalogue", None)
        if found is None or found[0] is not locale:
            found = context.office_catalogue = (locale, super().get_translations())
        return found[1]


@pass_context
def template_gettext(context: Context, message: str, **variables: Any) -> str:
    """A message in a template: what is put into it is escaped, as with Jinja's own."""
    text: str = get_domain().get_translations().ugettext(message)
    if context.eval_ctx.autoescape:
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
