"""store.json: what a store was made with; written once, and covered by the root.

In an encrypted store the file says so, in the clear, and holds the settings sealed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from edge_icl.cluster.kmeans import Parameters
from edge_icl.errors import InputError, StoreDamagedError, StoreFormatError
from edge_icl.example import normalise
from edge_icl.runtime import strict_json

FORMAT = 1
"""The format of a plain store."""

SEALED_FORMAT = 2
"""The format of an encrypted store, and the newest: a reader refuses a newer one."""

SEED_BYTES = 32
NAME = "store.json"

DEFAULT_SHOTS = 8

DEFAULT_ITERATIONS = 2
DEFAULT_STEP = 48
"""From benchmarks/frontier.py: on 10,000 examples clusters 4 % wider than those of float k-means,
representatives 5 % farther from their cluster's mean than the nearest members, and one forget in seven clusters
again. With a coarser lattice that is less often, but the representatives are worse; with a third iteration it
is half as often again, for little gain."""


LIMIT = 1 << 16
"""Every number in the settings is below this."""

MOST_ITERATIONS = 64
"""A few are enough, and each is a pass over the whole store, whose settings another user may have written."""

LONGEST_TASK = 1000
"""Characters of a task, which is in every prompt, beside the examples."""


def normalised_task(task: str) -> str:
    """Return a task in Unicode NFC, without white space around it.

    Raises:
        InputError: it is empty, too long, or holds NUL or a lone surrogate.
    """
    text = normalise(task, "task").strip()
    if len(text) > LONGEST_TASK:
        raise InputError(f"the task has {len(text)} characters, more than {LONGEST_TASK}", "make it shorter")
    return text


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the bytes of a store depend on besides its examples and their vectors.

    Attributes:
        seed: 32 bytes: the key of every id and digest, and the source of every random number.
        encoder: the encoder's name.
        encoder_digest: the digest of its files; vectors of two encoders never mix.
        dimension: of the vectors.
        scale: what the encoder multiplies a unit vector with before rounding to int8.
        shots: number of clusters.
        iterations: of the clustering.
        step: distance between the lattice points of the clustering.
        task: what is asked of the model, in words; "" for nothing, and then it is not in the file.
    """

    seed: bytes
    encoder: str
    encoder_digest: str
    dimension: int
    scale: int
    shots: int = DEFAULT_SHOTS
    iterations: int = DEFAULT_ITERATIONS
    step: int = DEFAULT_STEP
    task: str = ""

    def clustering(self) -> Parameters:
        """Return what the clustering depends on."""
        return Parameters(
            seed=self.seed,
            shots=self.shots,
            iterations=self.iterations,
            step=self.step,
            dimension=self.dimension,
        )

    def digest(self, data: bytes) -> str:
        """Return the BLAKE2b-256 of `data`, keyed with the seed, in hex."""
        return hashlib.blake2b(data, digest_size=32, key=self.seed).hexdigest()

    def encode(self) -> bytes:
        """Return the bytes of store.json."""
        fields = {"format": FORMAT, **asdict(self), "seed": self.seed.hex()}
        if not self.task:
            del fields["task"]
        return json.dumps(fields, indent=2, sort_keys=True).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Settings:
        """Read what `encode` wrote.

        Raises:
            StoreFormatError: a newer edge-icl made the store.
            StoreDamagedError: these are not the bytes of a store.json.
        """
        try:
            fields = strict_json.parse(data)
            version = fields.pop("format")
            if type(version) is int and SEALED_FORMAT < version < LIMIT:
                raise StoreFormatError(
                    f"the store has format {version} and this edge-icl reads up to format {SEALED_FORMAT}",
                    "update edge-icl, or open the store with the version that made it",
                )
            settings = cls(**{**fields, "seed": bytes.fromhex(fields["seed"])})
            if settings.encode() == data and settings._is_valid():
                return settings
        except (InputError, ValueError, KeyError, TypeError, AttributeError):
            pass
        raise StoreDamagedError(f"{NAME} is damaged", "restore it from a backup")

    def _is_valid(self) -> bool:
        """Tell whether every field has the type and range that the format gives it."""
        numbers = (self.dimension, self.scale, self.shots, self.iterations, self.step)
        return (
            len(self.seed) == SEED_BYTES
            and all(type(number) is int and 0 < number < LIMIT for number in numbers)
            and self.iterations <= MOST_ITERATIONS
            and all(isinstance(text, str) and text.encode() for text in (self.encoder, self.encoder_digest))
            and (not self.task or self.task == normalised_task(self.task))
        )


def envelope(sealed: bytes) -> bytes:
    """Return the bytes of store.json in an encrypted store, given its sealed settings."""
    fields = {"format": SEALED_FORMAT, "sealed": sealed.hex()}
    return json.dumps(fields, indent=2, sort_keys=True).encode() + b"\n"


def sealed_in(data: bytes) -> bytes | None:
    """Return the sealed settings in the bytes of a store.json; None if it is not that of an encrypted store."""
    try:
        sealed = bytes.fromhex(strict_json.parse(data)["sealed"])
    except (ValueError, KeyError, TypeError):
        return None
    return sealed if envelope(sealed) == data else None
