"""Measuring in alternating rounds: what disturbs a shared machine then disturbs every contender alike."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.contenders import Contender


@dataclass(frozen=True)
class Sample:
    """Seconds of one contender in one round, per call; bytes where memory is measured."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Comparison:
    """One contender against the reference: medians over the rounds, and the middle half of the CPU ratios."""

    cpu: float
    wall: float
    cpu_ratio: float
    wall_ratio: float
    low: float
    high: float


def compare(contenders: Mapping[str, Contender], calls: int, in_flight: int, rounds: int) -> dict[str, Comparison]:
    """CPU of this process and wall time per call of each contender; the first is the reference."""
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    for contender in contenders.values():  # connections are made, caches filled
        contender.run(max(calls // 4, in_flight), in_flight)
    for name in in_turn(list(contenders), rounds):
        samples[name].append(_measured(contenders[name], calls, in_flight))
    return compared(samples)


def in_turn(names: Sequence[str], rounds: int) -> Iterator[str]:
    """All names in each round, in each from another one on."""
    for number in range(rounds):
        shift = number % len(names)
        yield from (*names[shift:], *names[:shift])


def compared(samples: Mapping[str, Sequence[Sample]]) -> dict[str, Comparison]:
    """Everyone against the first: ratios within each round, and then their median."""
    reference = next(iter(samples.values()))
    return {name: _compared(mine, reference) for name, mine in samples.items()}


def _measured(contender: Contender, calls: int, in_flight: int) -> Sample:
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    contender.run(calls, in_flight)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    made = calls // in_flight * in_flight
    return Sample(cpu / made, wall / made)


def _compared(samples: Sequence[Sample], reference: Sequence[Sample]) -> Comparison:
    ratios = sorted(mine.cpu / theirs.cpu for mine, theirs in zip(samples, reference, strict=True))
    return Comparison(
        cpu=median(sample.cpu for sample in samples),
        wall=median(sample.wall for sample in samples),
        cpu_ratio=median(ratios),
        wall_ratio=median(mine.wall / theirs.wall for mine, theirs in zip(samples, reference, strict=True)),
        low=ratios[len(ratios) // 4],
        high=ratios[-1 - len(ratios) // 4],
    )
