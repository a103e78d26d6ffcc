"""Jinja's own classes with what each page pays for taken out; what templates may do is the same."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.templating import Environment
from jinja2 import Template
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro


class OfficeTemplate(Template):
    """A template whose macros are made once.

    Jinja looks at each import whether the page knows names that the imported template does not, by
    comparing all their names. Here all templates have the environment's, and no others.
    """

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        return super()._get_default_module()


class OfficeContext(Context):
    """A context that calls a macro without asking it first what it would like to be handed."""

    def call(__self, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        if type(__obj) is Macro:
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
            return __obj(__self.eval_ctx, *args, **kwargs)
        return super().call(__obj, *args, **kwargs)


def install(app: Flask) -> None:
    """Use them for this application's templates."""
    environment: Environment = app.jinja_env
    environment.template_class = OfficeTemplate
    environment.context_class = OfficeContext
