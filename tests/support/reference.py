"""The clustering as docs/format.md defines it, in plain Python: slow, obvious, sharing no code with ours."""

from __future__ import annotations

import hashlib
from decimal import Decimal, getcontext
from fractions import Fraction
from math import floor

getcontext().prec = 60

Vector = tuple[int, ...]


def distance(one: Vector, other: Vector) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def race_key(seed: bytes, key: bytes, rnd: int, rounds: int, weight: int) -> Decimal:
    words = hashlib.shake_256(seed + b"edge-icl/race/" + key).digest(8 * rounds)
    draw = int.from_bytes(words[8 * rnd : 8 * rnd + 8], "little")
    return -(Decimal(2**64 - draw) / Decimal(2**64)).ln() / weight


def start(seed: bytes, shots: int, members: dict[bytes, Vector]) -> list[bytes]:
    chosen: list[bytes] = []
    for rnd in range(shots):
        weights = {
            key: min((distance(vector, members[c]) for c in chosen), default=1)
            for key, vector in members.items()
        }
        runners = [key for key in members if weights[key]]
        if not runners:
            break
        chosen.append(min(runners, key=lambda key: (race_key(seed, key, rnd, shots, weights[key]), key)))
    return chosen


def nearest(vector: Vector, centroids: list[Vector]) -> int:
    return min(range(len(centroids)), key=lambda j: (distance(vector, centroids[j]), j))


def offsets(seed: bytes, iteration: int, dimension: int, step: int) -> list[int]:
    label = seed + b"edge-icl/lattice/" + iteration.to_bytes(4, "little")
    words = hashlib.shake_256(label).digest(8 * dimension)
    return [int.from_bytes(words[8 * i : 8 * i + 8], "little") % step for i in range(dimension)]


def cluster(
    seed: bytes, shots: int, iterations: int, step: int, members: dict[bytes, Vector]
) -> tuple[list[bytes], list[list[Vector]], list[bytes | None]]:
    """Return the winners of the start, the centroids after each iteration, and the representatives."""
    winners = start(seed, shots, members)
    centroids = [members[key] for key in winners]
    history = []
    for t in range(iterations):
        groups: list[list[Vector]] = [[] for _ in centroids]
        for vector in members.values():
            groups[nearest(vector, centroids)].append(vector)
        moved = []
        for old, group in zip(centroids, groups, strict=True):
            theta = offsets(seed, t, len(old), step)
            moved.append(
                tuple(
                    floor((Fraction(sum(v[i] for v in group), len(group)) - theta[i]) / step + Fraction(1, 2))
                    * step
                    + theta[i]
                    for i in range(len(old))
                )
                if group
                else old
            )
        centroids = moved
        history.append(centroids)
    found: list[bytes | None] = [None] * len(centroids)
    for key in sorted(members, reverse=True):
        j = nearest(members[key], centroids)
        best = found[j]
        if best is None or distance(members[key], centroids[j]) <= distance(members[best], centroids[j]):
            found[j] = key
    return winners, history, found
