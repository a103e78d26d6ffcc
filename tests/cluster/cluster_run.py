"""Several servers, one truth: what fails comes back, and nothing that was acknowledged is lost.

`make cluster-test`; not among the tests of `make test`, for it wants the machine for itself. Each
fault waits until work goes on; afterwards the officers' ledgers are compared with the database.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import extensions
from app.models import AuditEvent, CaseEvent, Complaint, Message, StagedUpload, User
from app.services.actor import load_actor
from app.services.calendar import load_calendar
from app.services.messages.mailer import Mailer, mail_settings
from app.services.messages.outbox import LEASE
from app.services.storage import StoreError
from app.services.transitions import Office as CaseOffice
from tests.support.cases import CaseMaker
from tests.support.cluster.load import Caller, Ledger, Load, rate, write_ratio
from tests.support.cluster.net import network, until
from tests.support.cluster.offices import HTTPS, Cluster, Office
from tests.support.outbox import work_once
from tests.support.panel import PASSWORD, engine_of
from tests.support.smtp_server import MailServer, mail_server

#: Cases that go to and fro, each with its officers.
CASES = 4
MAILS = 60
#: How many transitions must be acknowledged after each fault before the next comes.
GOES_ON = 12
began = time.monotonic()


def say(text: str) -> None:
    """A line of progress, with the seconds since the beginning."""
    print(f"  {time.monotonic() - began:6.1f} s  {text}", file=sys.stderr, flush=True)


@contextmanager
def told(cluster: Cluster) -> Iterator[None]:
    """With the last lines of every log when something fails."""
    try:
        yield
    except BaseException:
        print(cluster.logs(), file=sys.stderr)
        raise


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """All servers, with two offices on them."""
    folder = tmp_path_factory.mktemp("c")
    for parent in (folder, folder.parent):
        parent.chmod(0o711)
    kept = dict(os.environ)
    with network() as net, mail_server(host=net.here) as mail:
        say("in network namespaces" if net.real else "on addresses of this machine")
        made = Cluster(net, folder, (mail.host, mail.port))
        made.mail_server = mail  # type: ignore[attr-defined]
        with told(made):
            made.make_office("batang")
            made.make_office("pekalongan")
            made.start_all()
            say("two offices on two servers are up")
            yield made
    os.environ.clear()
    os.environ.update(kept)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def batang(cluster: Cluster) -> Office:
    return cluster.offices["batang"]


@pytest.fixture(scope="module")
def pekalongan(cluster: Cluster) -> Office:
    return cluster.offices["pekalongan"]


@pytest.fixture(scope="module")
def caller_of(cluster: Cluster) -> Callable[[Office, str], Caller]:
    """`caller_of(office, "kepala")`: an officer at his browser."""
    place = (cluster.front.address, HTTPS)
    return lambda office, key: Caller(office, key, place, cluster.tls(office))


def cases_of(office: Office, step: str, count: int) -> list[int]:
    """So many cases, worked up to a step by the office's own officers."""
    office.enter()
    extensions.may_write.set(True)
    with Session(engine_of(office.app)) as session:
        rules = CaseOffice(office.app.extensions["sop"], load_calendar(session))

        def actor(key: str) -> Any:
            return load_actor(session, session.scalars(select(User).filter_by(username=key)).one())

        make = CaseMaker(session, rules, office.app.extensions["store"], actor)
        found = []
        for _number in range(count):
            case = make(step)
            if step == "certification":
                make.record_facts(case, "submit_certification")
            session.commit()
            found.append(int(case.id))
        return found


# --- two offices ----------------------------------------------------------------------------------


def test_nothing_of_one_office_is_reachable_from_the_other(
    cluster: Cluster, batang: Office, pekalongan: Office, caller_of: Any
) -> None:
    ours, theirs = (cases_of(office, "intake", 1)[0] for office in (batang, pekalongan))
    with Session(engine_of(batang.app)) as one, Session(engine_of(pekalongan.app)) as other:
        batang.enter()
        here = one.get_one(Complaint, ours)
        pekalongan.enter()
        there = other.get_one(Complaint, theirs)
        assert here.number == there.number, "equal numbers, equal users"
        keys = [document.storage_key for document in here.documents]

    # The cookie of one is worth nothing at the other, though number, user and servers are the same.
    officer = caller_of(batang, "petugas")
    assert officer.get(f"/complaints/show/{ours}").status == 200
    stranger = caller_of(pekalongan, "petugas")
    assert stranger.get(f"/complaints/show/{theirs}").status == 200
    stranger.cookies = dict(officer.cookies)
    answer = stranger.get(f"/complaints/show/{theirs}")
    assert answer.status in (302, 303)
    assert "/login/" in answer.location
    officer.close()
    stranger.close()

    # Nor is one reached under the other's name by its own server.
    server = cluster.servers[0].address
    found = httpx.get(f"http://{server}:{batang.port}/login/", headers={"Host": pekalongan.host})
    assert found.status_code == 400

    # One role does not enter the other's database, by either way.
    for name in ("DATABASE_URL", "DATABASE_DIRECT_URL"):
        url = batang.environment[name].replace("/aduan_batang?", "/aduan_pekalongan?")
        with pytest.raises(psycopg.OperationalError, match=r"permission denied|not exist"):
            psycopg.connect(url)

    # A file of one is not under the other's prefix, and its keys open none of it.
    assert keys, "the case has a file"
    with pytest.raises(StoreError):
        pekalongan.app.extensions["store"].get(keys[0])
    sealed = batang.app.extensions["store"].stored(keys[0])
    pekalongan.app.extensions["store"].put_stored(keys[0], sealed)
    pekalongan.enter()
    with pytest.raises(StoreError):
        pekalongan.app.extensions["store"].get(keys[0])
    pekalongan.app.extensions["store"].delete(keys[0])
    batang.enter()
    assert batang.app.extensions["store"].get(keys[0])
    say("two offices are two worlds")


def test_signing_in_at_one_server_counts_at_all(
    cluster: Cluster, batang: Office, caller_of: Any
) -> None:
    visitor = caller_of(batang, "kabid")
    visitor.cookies = {}
    page = visitor.get("/login/")
    token = page.text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    visitor.token = token
    answer = visitor.post("/login/", {"username": "kabid", "password": PASSWORD})
    assert answer.status in (302, 303), answer.text[:300]
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    for server in cluster.servers:
        url = f"http://{server.address}:{batang.port}/charts/steps/"
        headers = {"Host": batang.host, "Cookie": cookies, "X-Forwarded-Proto": "https"}
        assert httpx.get(url, headers=headers, timeout=30).status_code == 200, server.name
    visitor.close()
    say("signed in at one server, known at both")


# --- faults ---------------------------------------------------------------------------------------


def test_what_was_acknowledged_survives_every_fault(
    cluster: Cluster, batang: Office, caller_of: Any
) -> None:
    with told(cluster):
        ledgers = [Ledger(pk) for pk in cases_of(batang, "certification", CASES)]
        before = {ledger.pk: moves(batang, ledger.pk) for ledger in ledgers}
        mails = queue_mails(batang, ledgers[0].pk)
        mail: MailServer = cluster.mail_server  # type: ignore[attr-defined]
        mail.slow = 0.4
        load = Load(batang, lambda key: caller_of(batang, key), ledgers)
        load.start()
        try:
            goes_on(load, "at work")
            break_everything(cluster, batang, load, mail)
        finally:
            load.end()
        assert load.faults == []
        report(load)
        compare(batang, load, before)
        mail.slow = 0.0
        deliver_rest(cluster, batang, mail, mails)
        done = batang.command("verify")
        assert done.returncode == 0, done.stdout + done.stderr
        say("flask verify: " + done.stdout.strip().splitlines()[-1])


def break_everything(cluster: Cluster, office: Office, load: Load, mail: MailServer) -> None:
    """One fault after the other; after each, work goes on."""
    one, two = cluster.servers
    one.kill(office.name)
    goes_on(load, "an app server was killed")
    cluster.start_server(one, office)
    until(lambda: cluster.is_up(one, office), "the app server is ready again")

    cluster.workers.kill(office.name)
    came = len(mail.received)
    goes_on(load, f"the worker was killed, {came} messages out")
    cluster.start_worker(office)
    until(lambda: len(mail.received) > came + 2, "the worker sends again")

    cluster.redis.kill("redis")
    goes_on(load, "Redis was killed")
    cluster.start_redis()
    goes_on(load, "Redis is back")

    cluster.store.kill()
    files = load.uploaded
    refused = load.refused_uploads
    until(lambda: load.refused_uploads > refused, "an upload is refused")
    goes_on(load, "the store was killed")
    cluster.store.serve()
    until(lambda: load.uploaded > files + 1, "files are stored again")

    cluster.databases.primary.cut()
    away = load.told_away
    if cluster.net.real:  # else the kernel still answers for who is merely stopped
        until(lambda: load.told_away > away, "somebody is told that the database is away")
        say("the cable of the database was pulled, and people were told")
    else:
        time.sleep(5)
    cluster.databases.primary.mend()
    goes_on(load, "the cable is back")

    cluster.databases.fail_over()
    goes_on(load, "the primary was killed, its standby promoted")
    cluster.databases.follow(cluster.databases.standby)
    cluster.databases.pool(cluster.databases.standby)
    goes_on(load, "the old primary is back as the standby")
    files = load.uploaded
    until(lambda: load.uploaded > files, "files are stored")
    until(lambda: cluster.is_up(one, office) and cluster.is_up(two, office), "both are ready")


def goes_on(load: Load, what: str, seconds: float = 120) -> None:
    """So many more transitions are acknowledged."""
    mark = load.moved + GOES_ON
    since = time.monotonic()
    while load.moved < mark:
        assert not load.faults, load.faults
        assert time.monotonic() - since < seconds, f"work does not go on: {what} {load.met}"
        time.sleep(0.1)
    say(f"{what}: work goes on ({time.monotonic() - since:.1f} s)")


def report(load: Load) -> None:
    """What people met."""
    lost = sum(ledger.unknown for ledger in load.ledgers)
    say(f"{load.moved} transitions, {load.uploaded} files acknowledged, {lost} nobody knew of")
    for kind in sorted({kind for kind, _status in load.met}):
        met = {status: n for (found, status), n in sorted(load.met.items()) if found == kind}
        say(f"  {kind}: {met}, the longest wait {load.longest[kind]:.1f} s")


def moves(office: Office, pk: int) -> int:
    with Session(engine_of(office.app)) as session:
        counted = select(func.count(CaseEvent.id)).filter_by(complaint_id=pk, kind="moved")
        return session.scalar(counted) or 0


def compare(office: Office, load: Load, before: dict[int, int]) -> None:
    """Every acknowledged transition and file is there once."""
    office.enter()
    with Session(engine_of(office.app)) as session:
        for ledger in load.ledgers:
            made = moves(office, ledger.pk) - before[ledger.pk]
            assert ledger.acknowledged <= made <= ledger.acknowledged + ledger.unknown, ledger
            number = session.get_one(Complaint, ledger.pk).number
            told_of = session.scalar(
                select(func.count(AuditEvent.id)).filter_by(
                    kind="case_moved", subject=f"complaint:{number}"
                )
            )
            assert told_of == moves(office, ledger.pk), "and the audit log tells of each once"
        kept = {row.token: row for row in session.scalars(select(StagedUpload))}
        tokens = [token for ledger in load.ledgers for token in ledger.uploads]
        assert len(tokens) > 10
        for token in tokens:
            data = office.app.extensions["store"].get(kept[token].storage_key)
            assert hashlib.sha256(data).hexdigest() == kept[token].sha256
    say("every acknowledged transition and file is there once")


# --- the outbox -----------------------------------------------------------------------------------


def queue_mails(office: Office, pk: int) -> list[str]:
    """So many messages that wait; their public ids."""
    now = datetime.now(UTC)
    keys = [f"{number:032d}" for number in range(MAILS)]
    office.enter()
    with Session(engine_of(office.app)) as session:
        session.add_all(
            Message(
                complaint_id=pk, occasion="receipt", way="email", subject="Uji", body="Isi",
                state="queued", next_at=now, created_at=now, public_id=key,
                recipient=f"a{number}@example.org",
            )
            for number, key in enumerate(keys)
        )  # fmt: skip
        session.commit()
    return keys


def deliver_rest(cluster: Cluster, office: Office, mail: MailServer, keys: list[str]) -> None:
    """What dead workers had in hand is taken over; then each has gone out once."""

    def waits() -> int:
        with Session(engine_of(office.app)) as session:
            queued = select(func.count(Message.id)).filter_by(way="email", state="queued")
            return session.scalar(queued) or 0

    until(lambda: waits() == 0, "the worker has sent what waited", 90)
    cluster.workers.stop(office.name)
    later = datetime.now(UTC) + LEASE + timedelta(seconds=5)
    mailer = Mailer(mail_settings(office.app.config))
    with Session(engine_of(office.app)) as session:
        while work_once(session, mailer, "successor", later).handled:
            pass
        states = {row.public_id: row.state for row in session.scalars(select(Message))}
    counts = Counter(mail.keys())
    assert max(counts.values()) == 1, "a message went out twice"
    unclear = {key for key in keys if states[key] == "unclear"}
    assert {states[key] for key in keys} <= {"sent", "unclear"}
    assert len(unclear) <= 3, "one for each time that a worker or its database was lost"
    assert {key for key in keys if states[key] == "sent"} <= set(counts)
    assert set(keys) - unclear <= set(counts), "a message was lost"
    say(f"{len(keys)} messages out once each, {len(unclear)} left to a person to look at")


# --- how much more two carry ----------------------------------------------------------------------


def test_two_app_servers_carry_more_than_one(
    cluster: Cluster, batang: Office, caller_of: Any
) -> None:
    _one, two = cluster.servers
    callers = [caller_of(batang, "petugas") for _ in range(8)]
    seconds, path = 6.0, "/queue/"
    both = rate(callers, path, seconds)
    two.stop(batang.name)
    alone = rate(callers, path, seconds)
    cluster.start_server(two, batang)
    until(lambda: cluster.is_up(two, batang), "the second server is ready again")
    both = (both + rate(callers, path, seconds)) / 2
    for caller in callers:
        caller.close()
    say(f"one app server {alone:.0f} pages a second, two {both:.0f}: {both / alone:.2f} times")
    assert both > 0
    assert alone > 0
    if os.environ.get("CLUSTER_WRITE"):
        write_ratio(alone, both)
