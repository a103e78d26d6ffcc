"""Jinja's own classes with what each page pays for taken out; what templates may do is the same."""

from __future__ import annotations

from functools import lru_cache
from types import FunctionType, MethodType
from typing import Any, Final

from flask import Flask
from flask.templating import Environment
from jinja2 import Template
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro

from app.catalogues import catalogue_of_now, template_gettext, worded


class OfficeTemplate(Template):
    """A template whose macros are made once.

    Jinja looks at each import whether the page knows names that the imported template does not, by
    comparing all their names. Here all templates have the environment's, and no others.
    """

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        return super()._get_default_module()


#: What is called as it is, if it does not ask for more by `jinja2.pass_context` and its like.
_PLAIN: Final = frozenset({FunctionType, MethodType, type(lru_cache(len))})


class OfficeContext(Context):
    """A context that calls macros and functions without asking each what it would like to be handed."""

    def call(__self, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        kind = type(__obj)
        plain = kind in _PLAIN and not hasattr(__obj, "jinja_pass_arg")
        if not (plain or kind is Macro or __obj is template_gettext):
            return super().call(__obj, *args, **kwargs)
        if kwargs:
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
        if plain:
            return __obj(*args, **kwargs)
        if kind is Macro:
            return __obj(__self.eval_ctx, *args, **kwargs)
        # Never kept here: the context of an imported template outlives the request.
        return worded(catalogue_of_now(), __self.eval_ctx, *args, **kwargs)


def install(app: Flask) -> None:
    """Use them for this application's templates."""
    environment: Environment = app.jinja_env
    environment.template_class = OfficeTemplate
    environment.context_class = OfficeContext
