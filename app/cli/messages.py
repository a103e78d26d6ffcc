"""`flask worker`, `flask messages send`: reports are made, and what waits in the outbox is sent."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.cli.data import expire_until
from app.cli.reports import report_until
from app.errors import sentence
from app.extensions import db, may_write
from app.models import Office
from app.services.messages.mailer import Mailer, mail_settings
from app.services.messages.outbox import Round, something_due, work_once

log = logging.getLogger(__name__)

#: Seconds between two looks into an outbox with nothing to send.
PAUSE = 5.0
NO_SERVER = "There is no mail server: set SMTP_HOST (see config.py)."

messages_group = AppGroup("messages", help="Messages to applicants.")


@messages_group.command("send")
@with_appcontext
def send() -> None:
    """Send everything that is due now, once."""
    _need_server(current_app.config["SMTP_HOST"])
    total, worker = Round(), worker_name()
    while True:
        done = look(worker)
        total.sent += done.sent
        total.waiting += done.waiting
        total.failed += done.failed
        total.unclear += done.unclear
        total.server, total.server_params = done.server, done.server_params
        if done.server or not done.handled:
            break
    print(
        f"sent: {total.sent}, to be tried again: {total.waiting},"
        f" failed: {total.failed}, unclear: {total.unclear}"
    )
    if total.server:
        print(_reason(total), file=sys.stderr)
        raise SystemExit(1)


@click.command("worker")
def worker_command() -> None:
    """Make reports and send messages, until stopped (SIGTERM); any number may run.

    Without a mail server there are the reports to make.
    """
    context = click.get_current_context()
    app: Flask = context.obj.load_app()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threads = _threads(app, stop)
    for thread in threads:
        thread.start()
    print("Worker started.", flush=True)
    stop.wait()
    for thread in threads:
        thread.join()
    print("Worker stopped.", flush=True)


def start_worker(app: Flask) -> Callable[[], None]:
    """Run one worker beside a server in this process; answers what stops it."""
    stop = Event()
    threads = _threads(app, stop)
    for thread in threads:
        thread.start()

    def end() -> None:
        stop.set()
        for thread in threads:
            thread.join(30)

    return end


def _threads(app: Flask, stop: Event) -> list[Thread]:
    """Reports in one thread, messages in another, retention in a third: none holds up the others."""
    name = worker_name()
    found = [Thread(target=report_until, args=(app, stop, name), name="reports", daemon=True)]
    found.append(Thread(target=expire_until, args=(app, stop), name="retention", daemon=True))
    if app.config["SMTP_HOST"]:
        found.append(Thread(target=work_until, args=(app, stop), name="messages", daemon=True))
    return found


def work_until(app: Flask, stop: Event, *, pause: float = PAUSE) -> None:
    """Look into the outbox again and again; nothing that goes wrong there ends it."""
    worker, away = worker_name(), ""
    while not stop.is_set():
        handled = 0
        try:
            with app.app_context():
                done = look(worker, stopping=stop.is_set)
                handled = done.handled
                if done.server != away:
                    away = done.server
                    log.warning("messages: %s", _reason(done) if away else "sent again")
        except SQLAlchemyError as error:  # the database is away: later, then
            log.error("messages: %s", type(error).__name__)
        except Exception:
            log.exception("messages: unexpected")
        if not handled:
            stop.wait(pause)


def look(worker: str, *, stopping: Callable[[], bool] = lambda: False) -> Round:
    """One look into the outbox of the present application, and what is due sent."""
    session, now = db.session(), datetime.now(UTC)
    try:
        # Merely looking takes no write lock on SQLite, where officers would wait for it.
        may_write.set(False)
        due = something_due(session, now)
        sender = session.execute(select(Office.name, Office.email)).first()
        session.rollback()
        may_write.set(True)
        if not due:
            return Round()
        name, email = (sender[0], sender[1]) if sender else ("", "")
        settings = mail_settings(current_app.config, office_name=name, office_email=email)
        return work_once(
            session, Mailer(settings), worker, now, commit=session.commit, stopping=stopping
        )
    finally:
        may_write.set(True)
        session.rollback()


def worker_name() -> str:
    """A name no other worker has: machine, process, and chance."""
    return f"{socket.gethostname()[:20]}-{os.getpid()}-{secrets.token_hex(3)}"[:40]


def _need_server(host: str) -> None:
    if not host:
        print(NO_SERVER, file=sys.stderr)
        raise SystemExit(1)


def _reason(done: Round) -> str:
    with current_app.test_request_context():
        return sentence(done.server, done.server_params)
