"""`python run.py`: bring the database up to date, then serve. `run:app` for other WSGI servers.

`python run.py serve` only serves, for service managers: the release step (`flask release`) and the
worker (`flask worker`) are services of their own there.
"""

from __future__ import annotations

import os
import signal
import sys

from tools.bootstrap import ensure_environment

if __name__ == "__main__":
    ensure_environment()

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask


def build(*, serving_elsewhere: bool) -> tuple[Flask, Any]:
    """The application, ready to serve; whatever stands in the way is one line on the terminal."""
    from app import create_app
    from app.logs import configure
    from app.release import NotReadyError, prepare, require_ready
    from app.sop.errors import SopError
    from config import ConfigError, load_settings
    from tools.i18n import compile_catalogues

    os.umask(0o077)  # personal data: nobody else on this machine reads the instance folder
    try:
        settings = load_settings()
        configure(settings["LOG_FORMAT"], settings["LOG_LEVEL"])
        compile_catalogues()
        app = create_app(settings)
        done = None
        if serving_elsewhere:
            require_ready(app)
        else:
            done = prepare(app)
    except (ConfigError, NotReadyError) as error:
        sys.exit(f"aduan: {error}")
    except SopError as error:
        sys.exit(f"aduan: the SOP or a seed file cannot be used:\n{error}")
    return app, done


def main() -> None:
    """Prepare, say where and how to sign in, and serve until stopped."""
    import waitress

    app, done = build(serving_elsewhere=False)
    config = app.config
    shown = "localhost" if config["HOST"] in ("0.0.0.0", "::") else config["HOST"]  # noqa: S104
    print(f"\n  Aduan:  http://{shown}:{config['PORT']}\n", flush=True)
    for role, username, password in done.demo_logins:
        print(f"  {role:20} {username:16} {password}", flush=True)
    if done.admin_password:
        print(f"  First administrator: admin   password: {done.admin_password}")
        print("  It is shown only now and must be changed at the first sign-in.", flush=True)
    from app.cli.messages import start_worker
    from app.server import prepare_waitress, serving_options

    stop_worker = start_worker(app)
    # An ordinary end, so that the message in hand is finished and the report in hand put back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    prepare_waitress()
    try:
        waitress.serve(
            app,
            host=config["HOST"],
            port=config["PORT"],
            **serving_options(config),
        )
    except OSError as error:
        sys.exit(
            f"aduan: cannot listen on {config['HOST']}:{config['PORT']}: {error.strerror};"
            " set PORT to another number."
        )
    finally:
        stop_worker()


def serve_only() -> None:
    """Serve a database that is up to date, until told to end."""
    from app.server import serve_until_told

    app = build(serving_elsewhere=True)[0]
    try:
        serve_until_told(app, os.environ)
    except OSError as error:
        sys.exit(f"aduan: cannot listen: {error.strerror}")


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["serve"]):
        sys.exit("usage: python run.py [serve]")
    serve_only() if sys.argv[1:] else main()
else:
    app = build(serving_elsewhere=True)[0]
