"""`python -m benchmarks`: load many complaints, time the main pages, look at the plans."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.first_load import first_load, first_load_table, later_than_stock
from benchmarks.load import Loaded, loaded
from benchmarks.operations import measure, operations_for
from benchmarks.pairs import pairs_for
from benchmarks.plans import full_scans
from benchmarks.report import Run, table, version_of, write, write_first_load, write_versus
from benchmarks.versus import WARM_UP, Measured, misses, versus
from benchmarks.versus import table as versus_table
from tools.i18n import compile_catalogues

if TYPE_CHECKING:
    from tests.support.postgres import Server


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 1 when a limit of the issue is not kept."""
    options = _parse(arguments)
    compile_catalogues()
    if options.floor:
        return against_the_floor(options)
    if options.first_load:
        return against_stock(options)
    backends = ["sqlite", "postgres"] if options.backend == "both" else [options.backend]
    runs: list[Run] = []
    with ExitStack() as stack:
        if "postgres" in backends:
            stack.enter_context(_server())  # one for all sizes
        for backend in backends:
            for cases in options.cases:
                with office(backend, cases) as made:
                    rows, seconds = made.rows, made.seconds
                    print(f"{version_of(made)}: {rows:,} rows in {seconds:.0f} s", flush=True)
                    run = time_office(made, options.repeats, options.only)
                runs.append(run)
                print(f"\n{table(run)}\n", flush=True)
    if options.write:
        write(runs)
    return 1 if any(run.misses or run.scans for run in runs) else 0


def against_the_floor(options: argparse.Namespace) -> int:
    """Every operation beside its floor, for each database, size and number of processes."""
    backends = ["sqlite", "postgres"] if options.backend == "both" else [options.backend]
    runs: dict[tuple[str, int, int], list[Measured]] = {}
    moves = sum((options.repeats + WARM_UP) * 2 * number for number in options.processes)
    with ExitStack() as stack:
        if "postgres" in backends:
            stack.enter_context(_server())
        for backend in backends:
            for cases in options.cases:
                with office(backend, cases) as made:
                    name = version_of(made)
                    print(f"{name}: {made.rows:,} rows in {made.seconds:.0f} s", flush=True)
                    for processes in options.processes:
                        pairs = [p for p in pairs_for(made, moves) if options.only in p.name]
                        found = versus(made, pairs, options.repeats, processes)
                        runs[name, cases, processes] = found
                        print(f"\n{versus_table({(name, cases, processes): found})}\n", flush=True)
    if options.write:
        write_versus(versus_table(runs))
    print(*misses(runs), sep="\n")
    return 1 if options.strict and misses(runs) else 0


def against_stock(options: argparse.Namespace) -> int:
    """The first load of the list beside stock FAB's; 1 when ours is painted later."""
    with office("sqlite", options.cases[0]) as made:
        found = first_load(made, options.repeats)
    print(f"\n{first_load_table(found)}\n", flush=True)
    if options.write:
        write_first_load(first_load_table(found))
    late = later_than_stock(found)
    print(*late, sep="\n")
    return 1 if late else 0


@contextmanager
def office(backend: str, cases: int) -> Iterator[Loaded]:
    """An office of so many complaints on one database, gone afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aduan-bench-")))
        if backend == "sqlite":
            url = f"sqlite:///{(folder / 'aduan.sqlite').as_posix()}"
        else:
            server = stack.enter_context(_server())
            name = server.create_database()
            stack.callback(server.drop_database, name)
            url = server.url(name)
        yield stack.enter_context(loaded(folder, url, cases))


def _server() -> AbstractContextManager[Server]:
    from tests.support.postgres import postgres_server

    return postgres_server()


def time_office(made: Loaded, repeats: int, only: str = "") -> Run:
    """Time the operations whose names hold a word, and look at the plans of their statements."""
    wanted = [item for item in operations_for(made) if only in item.name]
    timed = list(measure(made, wanted, repeats))
    return Run(
        backend=made.backend,
        version=version_of(made),
        cases=made.cases,
        rows=made.rows,
        load_seconds=made.seconds,
        timed=timed,
        scans=full_scans(made.engine, timed),
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--cases", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--backend", choices=("sqlite", "postgres", "both"), default="sqlite")
    parser.add_argument("--repeats", type=int, default=20, help="timed calls of each operation")
    parser.add_argument("--only", default="", help="operations whose name holds this word")
    parser.add_argument(
        "--floor", action="store_true", help="over HTTP, beside the bare statements"
    )
    parser.add_argument(
        "--first-load", action="store_true", help="in a browser, beside stock Flask-AppBuilder"
    )
    parser.add_argument("--processes", type=int, nargs="+", default=[1], help="with --floor")
    parser.add_argument(
        "--strict", action="store_true", help="with --floor: 1 when a goal is missed"
    )
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
