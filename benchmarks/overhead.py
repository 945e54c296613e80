"""`python -m benchmarks.overhead`: one table of what calls, imports and look-ups cost, as ratios of one run."""

from __future__ import annotations

import argparse
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from typing import TYPE_CHECKING

from benchmarks.contenders import Async, RawHttpx, RawSyncHttpx, Sync
from benchmarks.imports import CLIENTS, IMPORTS, compare_imports
from benchmarks.registry import compare_in_database, compare_in_memory
from benchmarks.rounds import Comparison, compare
from benchmarks.server import running_server
from benchmarks.wires import STREAMS, compare_readings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.contenders import Contender

RAW, RAW_SYNC = "httpx.AsyncClient", "httpx.Client"
ASYNC, SYNC = "DynamicLLMClient", "SyncDynamicLLMClient"


@dataclass(frozen=True)
class Effort:
    """How much is measured: rounds, the share of each row's calls, fresh interpreters, and look-ups a round."""

    rounds: int
    calls: float
    processes: int
    lookups: int


FULL = Effort(rounds=20, calls=1, processes=20, lookups=1000)
QUICK = Effort(rounds=1, calls=0.05, processes=1, lookups=20)


@dataclass(frozen=True)
class Row:
    """One line of the table. `at_most` is the CPU ratio that is promised, None for what is there for scale."""

    what: str
    reference: str
    theirs: Comparison
    ours: Comparison
    at_most: float | None = None
    is_memory: bool = False

    def cells(self) -> list[str]:
        ours, theirs = self.ours, self.theirs
        show = _megabytes if self.is_memory else _time
        waits = ["", "", ""] if self.is_memory else [show(theirs.wall), show(ours.wall), f"{ours.wall_ratio:.2f}"]
        spread = f"{ours.low:.2f}–{ours.high:.2f}"
        promised = "" if self.at_most is None else f"{self.at_most:.2f}"
        return [
            self.what, self.reference, show(theirs.cpu), show(ours.cpu), f"{ours.cpu_ratio:.2f}", spread, promised,
            *waits,
        ]  # fmt: skip

    @property
    def is_missed(self) -> bool:
        return self.at_most is not None and self.ours.cpu_ratio > self.at_most


HEAD = ["what", "against", "CPU", "ours", "ratio", "half in", "at most", "wall", "ours", "ratio"]


def _time(seconds: float) -> str:
    if seconds >= 0.01:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e6:.{0 if seconds >= 0.0001 else 1}f} µs"


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB"


def calls(effort: Effort) -> Iterator[Row]:
    """Whole answers and streams, alone and 50 in flight."""
    with running_server() as address:
        at_once, paced = f"{address}/v1", f"{address}/paced/v1"
        for in_flight, number, most in ((1, 150, 0.95), (50, 400, 0.5)):
            contenders: dict[str, Contender] = {
                RAW: RawHttpx(at_once, "generate"),
                ASYNC: Async(at_once, "generate"),
                SYNC: Sync(at_once, "generate"),
                RAW_SYNC: RawSyncHttpx(at_once),
            }
            targets = {ASYNC: most, SYNC: 0.5 if in_flight == 1 else None}
            yield from _rows(f"generate, {in_flight} in flight", contenders, targets, (number, in_flight), effort)
        for name, url, in_flight, number in (
            ("stream of 200", at_once, 1, 20),
            ("stream of 200", at_once, 50, 100),
            ("paced stream of 200", paced, 1, 2),
        ):
            contenders = {
                RAW: RawHttpx(url, "stream"),
                ASYNC: Async(url, "stream"),
                SYNC: Sync(url, "stream"),
                f"{RAW}, aiter_lines": RawHttpx(url, "stream_lines"),
            }
            yield from _rows(f"{name}, {in_flight} in flight", contenders, {ASYNC: 1.1}, (number, in_flight), effort)


def _rows(
    title: str,
    contenders: Mapping[str, Contender],
    targets: Mapping[str, float | None],
    size: tuple[int, int],
    effort: Effort,
) -> Iterator[Row]:
    number, in_flight = size
    found = compare(contenders, max(int(number * effort.calls), in_flight), in_flight, effort.rounds)
    for contender in contenders.values():
        contender.close()
    reference = found.pop(RAW)
    for name, ours in found.items():
        yield Row(f"{title}: {name}", RAW, reference, ours, targets.get(name))


def readings(effort: Effort) -> Iterator[Row]:
    """Each wire's reading of a stream, without any HTTP."""
    for wire in STREAMS:
        theirs, ours = compare_readings(wire, max(int(40 * effort.calls), 1), effort.rounds)
        yield Row(f"stream of 200 read by {wire}", "json.loads", theirs, ours, 2.0)


def imports(effort: Effort) -> Iterator[Row]:
    """Fresh interpreters."""
    for codes, targets in ((IMPORTS, (1.0, 1.15)), (CLIENTS, (None, None))):
        theirs, ours = codes
        times, memory = compare_imports(codes, effort.processes)
        yield Row(f"{ours}: time", theirs, times[theirs], times[ours], targets[0])
        yield Row(f"{ours}: peak memory", theirs, memory[theirs], memory[ours], targets[1], is_memory=True)


def look_ups(effort: Effort) -> Iterator[Row]:
    """Registries, warm, on SQLite and on the database that DATABASE_URL names."""
    pair = compare_in_memory(effort.lookups * 10, effort.rounds)
    yield _look_up("DictRegistry.get_by_tier", pair)
    for url in dict.fromkeys(("sqlite://", os.environ.get("DATABASE_URL") or "sqlite://")):
        engine = url.partition(":")[0]
        for method, found in compare_in_database(url, effort.lookups, effort.rounds).items():
            yield _look_up(f"DjangoLLMRegistry.{method}, {engine}", found)


def _look_up(what: str, pair: Mapping[str, Comparison]) -> Row:
    return Row(f"{what}, 10,000 rows", "10 rows", pair["few"], pair["many"])


def print_line(cells: list[str]) -> None:
    """One line of the table, at once: the whole takes minutes."""
    texts, figures = cells[:2], cells[2:]
    words = [text.ljust(width) for text, width in zip(texts, (66, 17), strict=True)]
    print("  ".join([*words, *(figure.rjust(9) for figure in figures)]).rstrip(), flush=True)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only see that everything runs; the figures mean nothing")
    effort = QUICK if parser.parse_args().quick else FULL
    packages = ", ".join(f"{name} {version(name)}" for name in ("httpx", "httpcore", "sniffio", "h11", "django"))
    print(f"Python {platform.python_version()}, {packages}, {os.cpu_count()} cores")
    print("CPU time of the calling process per call; ratios are medians over alternating rounds.\n")
    print_line(HEAD)
    missed: list[str] = []
    for row in chain(calls(effort), readings(effort), imports(effort), look_ups(effort)):
        print_line(row.cells())
        missed += [row.what] if row.is_missed else []
    if effort is FULL:
        print("\nMissed: " + "; ".join(missed) if missed else "\nAll ratios are within what is promised.")


if __name__ == "__main__":
    main()
