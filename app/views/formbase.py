"""WTForms' own sentences from our catalogue: the library ships no Indonesian."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_appbuilder.forms import DynamicForm
from flask_babel import get_translations
from flask_babel import gettext as _gettext
from flask_wtf import FlaskForm


class _Catalogue:
    """What WTForms asks for a translation, answered by the application's catalogue."""

    def gettext(self, text: str) -> str:
        return _gettext(text)

    def ngettext(self, one: str, many: str, count: int) -> str:
        # WTForms fills in its own parameters afterwards.
        found: str = get_translations().ungettext(one, many, count)
        return found


class OfficeMeta(FlaskForm.Meta):  # type: ignore[misc]
    """CSRF as Flask-WTF does it, messages as the page's language has them."""

    def get_translations(self, form: Any) -> _Catalogue:
        """Our catalogue, whatever the form."""
        return _Catalogue()


def install() -> None:
    """Give every form that FAB generates, and every one built on it, our messages."""
    DynamicForm.Meta = OfficeMeta


class CheckedTogether(DynamicForm):  # type: ignore[misc]
    """A form whose fields are checked each by itself and then together."""

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """What is wrong between the fields: the name of one and a sentence."""
        return iter(())

    def validate(self, extra_validators: Any = None) -> bool:
        """Both checks always run: an empty field may be wrong beside a filled one."""
        fine = bool(super().validate(extra_validators))
        for name, text in self.mistakes():
            field = self[name]
            if not field.errors:
                field.errors = [text]
                fine = False
        return fine


install()
