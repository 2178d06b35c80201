"""A store read and written from docs/format.md alone: slow, plain, and sharing no code with ours.

    >>> files = write(settings, examples)
    >>> read(files) == (settings, examples)

A store is its files, path to bytes; a reader that can write it again from what it read has checked every byte.
"""

from __future__ import annotations

import hashlib
import json
import struct
import unicodedata
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

Vector = tuple[int, ...]
Files = dict[str, bytes]
Settings = dict[str, Any]

SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
SIZES = {"I64": (8, "q"), "U32": (4, "I"), "I32": (4, "i"), "I8": (1, "b"), "U8": (1, "B")}
PAGE = ("offsets", "vectors", "ids", "text")
CLUSTERING = ("distances", "counts", "sums", "start", "representatives", "winners")


class Example(NamedTuple):
    input: str
    output: str
    source: str | None
    tags: tuple[str, ...]
    vector: Vector


class Lock(NamedTuple):
    """What an encrypted store is locked with."""

    passphrase: bytes
    memory: int
    passes: int
    lanes: int


# Texts


def quoted(text: str, *, ascii_only: bool = False) -> str:
    """Return a JSON string."""
    found = []
    for character in text:
        code = ord(character)
        if character in SHORT:
            found.append(SHORT[character])
        elif code < 0x20 or (ascii_only and 0x7E < code <= 0xFFFF):
            found.append(f"\\u{code:04x}")
        elif ascii_only and code > 0xFFFF:
            high, low = divmod(code - 0x10000, 0x400)
            found.append(f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}")
        else:
            found.append(character)
    return f'"{"".join(found)}"'


def canonical(example: Example) -> bytes:
    """Return the canonical JSON of an example."""
    fields = [f'"input":{quoted(example.input)}', f'"output":{quoted(example.output)}']
    if example.source is not None:
        fields.append(f'"source":{quoted(example.source)}')
    if example.tags:
        fields.append(f'"tags":[{",".join(map(quoted, example.tags))}]')
    return f"{{{','.join(fields)}}}".encode()


def normalised(example: Example) -> Example:
    """Return an example with its texts in NFC and its tags sorted, each once."""
    first, second, source, tags, vector = example

    def nfc(text: str) -> str:
        return unicodedata.normalize("NFC", text)

    kept = None if source is None else nfc(source)
    return Example(nfc(first), nfc(second), kept, tuple(sorted({nfc(tag) for tag in tags})), vector)


def indented(fields: dict[str, Any]) -> bytes:
    """Return store.json."""
    lines = [
        f'  "{name}": {quoted(value, ascii_only=True) if isinstance(value, str) else value}'
        for name, value in sorted(fields.items())
    ]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("ascii")


def compact(fields: dict[str, Any]) -> bytes:
    """Return canonical JSON of numbers, truth values and texts."""
    parts = []
    for name, value in sorted(fields.items()):
        text = quoted(value) if isinstance(value, str) else str(value).lower()
        parts.append(f"{quoted(name)}:{text}")
    return f"{{{','.join(parts)}}}".encode()


# Arrays


def tensors(columns: list[tuple[str, str, tuple[int, ...], bytes]]) -> bytes:
    """Return a file of arrays: name, type, shape and bytes of each, in their order."""
    parts, end = [], 0
    for name, kind, shape, data in columns:
        begin, end = end, end + len(data)
        sizes = ",".join(map(str, shape))
        parts.append(f'"{name}":{{"dtype":"{kind}","shape":[{sizes}],"data_offsets":[{begin},{end}]}}')
    header = f"{{{','.join(parts)}}}".encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + b"".join(data for *_, data in columns)


def arrays(data: bytes) -> dict[str, tuple[int, ...]]:
    """Return the numbers of each array of a file, whatever their shape."""
    (length,) = struct.unpack_from("<Q", data)
    found = {}
    for name, told in json.loads(data[8 : 8 + length]).items():
        begin, end = told["data_offsets"]
        size, letter = SIZES[told["dtype"]]
        found[name] = struct.unpack(f"<{(end - begin) // size}{letter}", data[8 + length :][begin:end])
    return found


def packed(kind: str, numbers: list[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}{SIZES[kind][1]}", *numbers)


# The clustering


def distance(one: Vector, other: Vector) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def words(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 8}Q", data)


def start(seed: bytes, shots: int, members: dict[bytes, Vector]) -> list[bytes]:
    """Return the ids of the starts, in order."""
    draws = {key: words(hashlib.shake_256(seed + b"edge-icl/race/" + key).digest(8 * shots)) for key in members}
    starts: list[bytes] = []
    weights = dict.fromkeys(members, 1)
    for j in range(shots):
        runners = [key for key in sorted(members) if weights[key] > 0]
        if not runners:
            break
        with localcontext(prec=60):  # equal to 60 digits is equal, so the first of them has the smaller id
            keys = {key: -(1 - Decimal(draws[key][j]) / 2**64).ln() / weights[key] for key in runners}
        starts.append(min(runners, key=keys.__getitem__))
        for key, vector in members.items():
            far = distance(vector, members[starts[-1]])
            weights[key] = min(weights[key], far) if j else far
    return starts


def nearest(vector: Vector, centroids: list[Vector]) -> int:
    return min(range(len(centroids)), key=lambda c: (distance(vector, centroids[c]), c))


def clustering(settings: Settings, members: dict[bytes, Vector]) -> bytes:
    """Return the clustering file of the vectors with these ids."""
    seed, d, q = bytes.fromhex(settings["seed"]), settings["dimension"], settings["step"]
    winners = start(seed, settings["shots"], members)
    m, centroids = len(winners), [members[key] for key in winners]
    counts, sums = [], []
    for t in range(settings["iterations"]):
        clusters: list[list[Vector]] = [[] for _ in centroids]
        for vector in members.values():
            clusters[nearest(vector, centroids)].append(vector)
        drawn = hashlib.shake_256(seed + b"edge-icl/lattice/" + struct.pack("<I", t)).digest(8 * d)
        theta = [word % q for word in words(drawn)]
        for c, cluster in enumerate(clusters):
            n, total = len(cluster), [sum(column) for column in zip(*cluster, strict=True)] or [0] * d
            counts.append(n)
            sums += total
            if n:
                centroids[c] = tuple(
                    q * ((2 * (s - o * n) + q * n) // (2 * q * n)) + o
                    for s, o in zip(total, theta, strict=True)
                )
    best: list[tuple[int, bytes]] = [(-1, bytes(16))] * m
    for key in sorted(members):
        c = nearest(members[key], centroids)
        far = distance(members[key], centroids[c])
        if best[c][0] == -1 or far < best[c][0]:
            best[c] = (far, key)
    flat = [component for key in winners for component in members[key]]
    t = settings["iterations"]
    return tensors(
        [
            ("distances", "I64", (m,), packed("I64", [far for far, _ in best])),
            ("counts", "U32", (t, m), packed("U32", counts)),
            ("sums", "I32", (t, m, d), packed("I32", sums)),
            ("start", "I8", (m, d), packed("I8", flat)),
            ("representatives", "U8", (m, 16), b"".join(key for _, key in best)),
            ("winners", "U8", (m, 16), b"".join(winners)),
        ]
    )


# The store


def page(rows: dict[bytes, tuple[bytes, Vector]], dimension: int) -> bytes:
    """Return the file of a page, given the text and the vector of each id."""
    n, ends = len(rows), [0]
    for key in sorted(rows):
        ends.append(ends[-1] + len(rows[key][0]))
    vectors = [component for key in sorted(rows) for component in rows[key][1]]
    return tensors(
        [
            ("offsets", "U32", (n + 1,), packed("U32", ends)),
            ("vectors", "I8", (n, dimension), packed("I8", vectors)),
            ("ids", "U8", (n, 16), b"".join(sorted(rows))),
            ("text", "U8", (ends[-1],), b"".join(rows[key][0] for key in sorted(rows))),
        ]
    )


def leaves(ids: list[bytes], prefix: str = "") -> list[tuple[str, list[bytes]]]:
    """Return the prefixes of the pages and the ids of each, in their order."""
    below = [key for key in ids if f"{int.from_bytes(key):0128b}".startswith(prefix)]
    if len(below) > 256:
        return leaves(below, prefix + "0") + leaves(below, prefix + "1")
    return [(prefix, below)] if below else []


def write(
    settings: Settings, examples: list[Example], lock: Lock | None = None, *, labels: str = "auto"
) -> Files:
    """Return the files of the store with these settings, `format` among them, and examples."""
    seed = bytes.fromhex(settings["seed"])

    def digest(data: bytes) -> str:
        return hashlib.blake2b(data, digest_size=32, key=seed).hexdigest()

    rows = {}
    for example in map(normalised, examples):
        text = canonical(example)
        rows[hashlib.blake2b(text, digest_size=16, key=seed).digest()] = (text, example.vector)
    files, lines = {"store.json": indented(settings)}, []
    for prefix, ids in leaves(sorted(rows)):
        data = page({key: rows[key] for key in ids}, settings["dimension"])
        files[f"pages/{digest(data)}.safetensors"] = data
        lines.append(f'["{prefix}",{len(ids)},"{digest(data)}"]')
    data = clustering(settings, {key: vector for key, (_, vector) in rows.items()})
    files[f"clustering/{digest(data)}.safetensors"] = data
    last = {"clustering": digest(data), "count": len(rows), "settings": digest(files["store.json"])}
    if labels != "auto":
        last["labels"] = labels
    files["manifest"] = b'{"pages":[\n%s\n],\n%s\n' % (",\n".join(lines).encode(), compact(last)[1:])
    return {**(sealed(files, lock, seed) if lock else files), "lock": b""}


def read(files: Files, passphrase: bytes = b"") -> tuple[Settings, list[Example]]:
    """Return the settings and the examples of a store, in the order of their ids."""
    if "key" in files:
        files = opened(files, passphrase)
    settings = json.loads(files["store.json"])
    d, found = settings["dimension"], []
    for prefix, count, name in json.loads(files["manifest"])["pages"]:
        columns = arrays(files[f"pages/{name}.safetensors"])
        for i in range(count):
            text = bytes(columns["text"][columns["offsets"][i] : columns["offsets"][i + 1]])
            key = hashlib.blake2b(text, digest_size=16, key=bytes.fromhex(settings["seed"])).digest()
            assert bytes(columns["ids"][16 * i : 16 * i + 16]) == key
            assert f"{int.from_bytes(key):0128b}".startswith(prefix)
            told = json.loads(text)
            vector = columns["vectors"][d * i : d * i + d]
            tags = tuple(told.get("tags", ()))
            found.append(Example(told["input"], told["output"], told.get("source"), tags, vector))
    return settings, found


def labels_in(files: Files, passphrase: bytes = b"") -> str:
    """Return whether the outputs of a store are labels: yes, no, or auto."""
    if "key" in files:
        files = opened(files, passphrase)
    return json.loads(files["manifest"]).get("labels", "auto")


# Encryption


def role(path: str) -> list[bytes]:
    return [path.partition("/")[0].encode()]


def stretched(lock: Lock, salt: bytes) -> bytes:
    text = unicodedata.normalize("NFC", lock.passphrase.decode()).encode()
    how = {"iterations": lock.passes, "lanes": lock.lanes, "memory_cost": lock.memory}
    return Argon2id(salt=salt, length=64, **how).derive(text)


def sealed(files: Files, lock: Lock, seed: bytes) -> Files:
    """Return the files of a store that is encrypted with a passphrase and a key that follows from it."""
    salt = hashlib.blake2b(b"edge-icl/salt", digest_size=16, key=seed).digest()
    wrapping = stretched(lock, salt)
    key = hashlib.blake2b(b"edge-icl/data key", digest_size=64, key=wrapping).digest()
    bound = {
        "keyring": False,
        "lanes": lock.lanes,
        "memory": lock.memory,
        "passes": lock.passes,
        "salt": salt.hex(),
    }
    fields = {**bound, "format": 1, "wrapped": AESSIV(wrapping).encrypt(key, [compact(bound)]).hex()}
    fields["checksum"] = hashlib.blake2b(compact(fields), digest_size=8).hexdigest()
    found = {path: AESSIV(key).encrypt(data, role(path)) for path, data in files.items()}
    envelope = indented({"format": 2, "sealed": found["store.json"].hex()})
    return {**found, "store.json": envelope, "key": compact(fields) + b"\n"}


def opened(files: Files, passphrase: bytes) -> Files:
    """Return the content of the files of an encrypted store."""
    told = json.loads(files["key"])
    lock = Lock(passphrase, told["memory"], told["passes"], told["lanes"])
    bound = {name: told[name] for name in ("keyring", "lanes", "memory", "passes", "salt")}
    wrapping = stretched(lock, bytes.fromhex(told["salt"]))
    key = AESSIV(wrapping).decrypt(bytes.fromhex(told["wrapped"]), [compact(bound)])
    envelope = bytes.fromhex(json.loads(files["store.json"])["sealed"])
    inside = {**files, "store.json": envelope}
    return {
        path: AESSIV(key).decrypt(data, role(path))
        for path, data in inside.items()
        if path not in ("key", "lock")
    }
