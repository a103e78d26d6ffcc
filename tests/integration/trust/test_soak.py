"""A soak: fifty officers in the real roles at once, for a minute here and ten in `make soak`.

No answer is an error, nothing that was acknowledged is half done, and memory stays flat.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from threading import Thread

from sqlalchemy.orm import Session

from app.services.verifying import verify
from tests.integration.access_matrix import LETTERS, routes
from tests.support.panel import engine_of
from tests.support.serving import served
from tests.support.visitor import Visitor

SECONDS = int(os.environ.get("SOAK_SECONDS", "60"))
USERS = 50
#: How long one of fifty people looks at a page before the next.
THINKS = (0.2, 1.5)
PAGES = os.sysconf("SC_PAGE_SIZE")
OFFICERS = ("petugas", "petugas", "petugas2", "operator", "operator", "subkoordinator", "kepala",
            "kabid", "admin", "petugas")  # fmt: skip


def resident():
    """Bytes of memory that this process, server and visitors, really holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGES


def pages_of(letter, places):
    """What this role opens, by the matrix: every page that answers it with a page."""
    return [
        answered[letter].url(places)
        for (method, _rule), answered in routes().items()
        if method == "GET" and letter in answered and answered[letter].status == 200
    ]


def works(key, places):
    """What this officer does, besides looking."""
    case = places["case"]
    if key.startswith("petugas"):
        return [f"/complaints/{what}/{case}" for what in ("start", "pause", "resume")]
    if key.startswith("operator"):
        return [f"/complaints/start/{places['siak_check siak_match']}"]
    return ["/lang/id"]


def test_fifty_officers_at_once(world_app, world):
    began = time.monotonic()
    wrong, asked = [], [0] * USERS
    letters = {key: letter for letter, key in LETTERS.items()}

    with served(world_app) as url:

        def work(number):
            chance = random.Random(number)
            key = OFFICERS[number % len(OFFICERS)]
            visitor = Visitor(world_app, url, key)
            letter = letters[key.rstrip("2")]
            looks, does = pages_of(letter, world.places), works(key, world.places)
            while time.monotonic() - began < SECONDS:
                try:
                    if chance.random() < 0.15:
                        path = chance.choice(does)
                        answer = visitor.post(path, {"reason": "other", "note": "Listrik padam"})
                    else:
                        path = chance.choice(looks)
                        answer = visitor.get(path)
                except Exception as error:
                    wrong.append(f"{key} {path}: {error!r}")
                    continue
                asked[number] += 1
                if answer.status not in (200, 303, 409, 422):
                    wrong.append(f"{key} {path}: {answer.status} {answer.location}")
                time.sleep(chance.uniform(*THINKS))

        threads = [Thread(target=work, args=(number,), daemon=True) for number in range(USERS)]
        for thread in threads:
            thread.start()
        # Warm after a third: pages were drawn once, reference rows and statements are kept.
        time.sleep(SECONDS / 3)
        warm = resident()
        for thread in threads:
            thread.join(SECONDS + 120)
        late = resident()
        assert not any(thread.is_alive() for thread in threads)
    said = f"{SECONDS} s: {sum(asked)} answers, {warm >> 20} MiB when warm, {late >> 20} MiB at the end"
    print(f"\nsoak: {said}")
    assert wrong[:10] == []
    assert min(asked) > 0, "everybody was answered"
    with Session(engine_of(world_app)) as session:
        assert list(verify(session, world_app.extensions["store"])) == []
    assert late < warm * 1.25 + 32 * 1024 * 1024, f"{warm >> 20} MiB became {late >> 20} MiB"
