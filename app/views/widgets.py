"""FAB's widgets with our templates; they carry what the hardened base view hands them."""

from __future__ import annotations

from flask_appbuilder.widgets import FormWidget, ListWidget, ShowWidget


class OfficeListWidget(ListWidget):  # type: ignore[misc]
    """A table on a desk, cards on a phone."""

    template = "appbuilder/general/widgets/list.html"


class OfficeShowWidget(ShowWidget):  # type: ignore[misc]
    """One record as labelled values."""

    template = "appbuilder/general/widgets/show.html"


class OfficeFormWidget(FormWidget):  # type: ignore[misc]
    """A form with messages beside its fields."""

    template = "appbuilder/general/widgets/form.html"
