"""The application: wiring only."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, g, redirect, request, session, url_for
from flask_login import current_user
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from app import (
    assets,
    auditing,
    catalogues,
    cookies,
    datakeys,
    endings,
    errors,
    formats,
    logs,
    measuring,
    parts,
    probes,
    sign_in,
    standby,
    surface,
    templating,
    tracing,
)
from app.access import current_permissions, role_names
from app.extensions import compress, csrf, db, may_write, migrate
from app.frame import Frame, office_identity, theme_of_now
from app.services.sign_in.second_factor import has_second_factor
from app.services.storage import open_store
from app.services.transitions import Office as CaseOffice
from app.sop.definition import Sop, load_sop
from app.sop.text import language
from app.stepup import confirm_url

MIGRATIONS = Path(__file__).parent / "migrations"
#: POSTs that only read, or look at what was sent before they write (`begin_writing`).
READS_FIRST = (
    "CheckView.index",
    "ComplaintView.identity",
    "ComplaintView.search",
    "DispatchView.search",
    "DocumentView.search",
    "ImportView.take",
    "ImportView.upload",
    "MessageView.search",
    "SearchView.find",
    "SearchView.index",
    "UploadView.stage",
)
#: A GET that another server leads back to, with which somebody signs in.
WRITES_BY_GET = ("AuthDBView.oauth_authorized",)
#: What is open to who has to change his password, or to set up his second factor, first.
HELD_BACK = ("AuthDBView.logout", "LocaleView.", "SessionView.state", "SessionView.stay")
YEAR = 365 * 24 * 3600


class Panel(Flask):
    """Flask for views and hooks that are plain functions, as all of ours are."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: whether it is asynchronous was asked twenty times a page."""
        return func


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """Build the panel from its settings (`config.load_settings` by default).

    Raises:
        config.ConfigError: a setting cannot work.
        SopMistakes: the SOP file does not compile.
    """
    from config import load_settings

    config = dict(settings) if settings is not None else load_settings()
    app = Panel(__name__, instance_path=str(config["INSTANCE_PATH"]), static_folder=None)
    app.config.from_mapping(config)
    app.session_interface = cookies.OfficeSessions()
    Path(app.instance_path).mkdir(parents=True, exist_ok=True)
    logging.getLogger("flask_appbuilder").setLevel(logging.ERROR)

    app.extensions["sop"] = load_sop(config["SOP_FILE"])
    datakeys.use(Path(config["DATA_KEYS"]))
    app.extensions["store"] = open_store(config["STORE_URL"])

    auditing.install(app)
    logs.install(app)
    measuring.install(app)
    tracing.install()
    db.init_app(app)
    standby.install(app)
    migrate.init_app(app, db, directory=str(MIGRATIONS), render_as_batch=True, compare_type=True)
    csrf.init_app(app)
    compress.init_app(app)
    _languages(app)
    _pages(app)
    with app.app_context():
        _appbuilder(app)
    sign_in.install(app)
    catalogues.install(app)
    templating.install(app)
    errors.install(app)
    endings.install(app)
    _headers(app)
    surface.install(app)
    from app.cli import register_commands

    register_commands(app)
    return _middleware(app)


def sop_of(app: Flask) -> Sop:
    """The SOP this application runs."""
    sop: Sop = app.extensions["sop"]
    return sop


def _appbuilder(app: Flask) -> None:
    from app.panel import OfficeAppBuilder
    from app.security import OfficeSecurityManager
    from app.views import register_views
    from app.views.accounts import SECURITY_VIEWS
    from app.views.elsewhere import AuthElsewhereView, UserElsewhereView
    from app.views.home import IndexView

    elsewhere = {"userelsewhereview": UserElsewhereView, "authoauthview": AuthElsewhereView}
    manager = type("SecurityManager", (OfficeSecurityManager,), {**SECURITY_VIEWS, **elsewhere})
    appbuilder = OfficeAppBuilder(
        app, db.session, indexview=IndexView, security_manager_class=manager
    )
    register_views(appbuilder, sop_of(app))


def _languages(app: Flask) -> None:
    """A language we do not have is never taken from a cookie; data labels follow the page's."""

    @app.before_request
    def choose_language() -> None:
        if session.get("locale") not in app.config["LANGUAGES"]:
            session.pop("locale", None)
        chosen = session.get("locale") or app.config["BABEL_DEFAULT_LOCALE"]
        language.set(chosen)
        reads = request.method in ("GET", "HEAD", "OPTIONS") or request.endpoint in READS_FIRST
        may_write.set(not reads or request.endpoint in WRITES_BY_GET)
        g.now = datetime.now(UTC)


def _pages(app: Flask) -> None:
    """What every template may use."""
    urls = assets.build_assets(Path(app.instance_path) / "assets")
    app.extensions["assets"] = urls

    def csp_nonce() -> str:
        if "csp_nonce" not in g:
            g.csp_nonce = secrets.token_urlsafe(16)
        return str(g.csp_nonce)

    app.jinja_env.globals.update(asset=lambda name: urls[name], csp_nonce=csp_nonce)
    parts.install(app, urls["icons.svg"])
    app.jinja_env.filters.update(formats.FILTERS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    from app.views import case_drawing
    from app.views.sessions import device_words

    case_drawing.install(app)

    @app.context_processor
    def page_context() -> dict[str, Any]:
        return {
            "appbuilder": app.extensions["appbuilder"],
            "base_template": app.config["FAB_BASE_TEMPLATE"],
            "current_locale": catalogues.language_of_now(),
            "languages": app.config["LANGUAGES"],
            "theme": theme_of_now(),
            "frame": Frame(),
            "role_names": role_names,
            "device_words": device_words,
            "office": office_identity(),
            "can": lambda permission, view="Complaint": (permission, view) in current_permissions(),
        }

    @app.before_request
    def first_password() -> Any:
        """A first password is changed before anything else can be done with it."""
        account = g.get("account") if current_user.is_authenticated else None
        if account is None or not account.must_change_password:
            return None
        if (request.endpoint or "").startswith(("ResetMyPasswordView.", *HELD_BACK)):
            return None
        return redirect(url_for("ResetMyPasswordView.this_form_get"), 303)

    @app.before_request
    def second_factor() -> Any:
        """A second factor that a role demands is set up, or shown, before anything else is done."""
        here = g.get("sign_in") if current_user.is_authenticated else None
        if here is None or here.second_factor or not sign_in.demanded():
            return None
        if (request.endpoint or "").startswith(
            ("SecondFactorView.", "ConfirmView.", "ResetMyPasswordView.", *HELD_BACK)
        ):
            return None
        if not app.extensions["appbuilder"].sm.asks_for_codes:
            return None
        if has_second_factor(db.session(), int(current_user.id)):
            return redirect(confirm_url(url_for("IndexView.index")), 303)
        return redirect(url_for("SecondFactorView.show"), 303)


def _headers(app: Flask) -> None:
    """What a page may do; the other headers stand on every answer (`app.surface`)."""

    @app.after_request
    def secure(response: Any) -> Any:
        nonce = f" 'nonce-{g.csp_nonce}'" if g.get("csp_nonce") else ""
        # A page that runs a program of ours (the camera's reader of codes) says so for itself.
        more = f" {g.csp_scripts}" if g.get("csp_scripts") else ""
        policy = (
            f"default-src 'self'; script-src 'self'{nonce}{more}; style-src 'self'; img-src 'self' data:"
            " blob:; object-src 'none'; base-uri 'none'; form-action 'self';"
            " frame-ancestors 'none'; frame-src 'none'"
        )
        response.headers.setdefault("Content-Security-Policy", policy)
        return response


def _middleware(app: Flask) -> Flask:
    """Static files before Flask, the proxy's word only when there is a proxy."""
    files = WhiteNoise(
        endings.Endings(app.wsgi_app),
        root=str(Path(app.instance_path) / "assets"),
        prefix=assets.URL_PREFIX,
        max_age=YEAR,
        immutable_file_test=lambda path, url: True,
        allow_all_origins=False,
    )
    app.wsgi_app = files  # type: ignore[method-assign]
    if not app.config["TRUSTED_HOSTS"]:
        app.wsgi_app = surface.Hosts(  # type: ignore[method-assign]
            app.wsgi_app, public_url=app.config["PUBLIC_URL"]
        )
    app.wsgi_app = probes.Probes(app.wsgi_app, app)  # type: ignore[assignment, method-assign]
    hops = app.config["TRUSTED_PROXIES"]
    if hops:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    app.wsgi_app = surface.Surface(  # type: ignore[method-assign]
        app.wsgi_app, https=app.config["HTTPS"]
    )
    return app


__all__ = ["CaseOffice", "create_app", "sop_of"]
