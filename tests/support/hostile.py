"""Stores forged with the format in mind: every digest is right, and something else is not.

    >>> forged = forge(7)          # the seventh store; equal numbers give equal stores
    >>> forged.tree                # its files, as tests lay them out
    >>> forged.rows                # what its pages hold, if they can be read at all

An honest store is taken apart, one or a few things in it are changed, and only then are digests made: pages by
their rows or by their columns, the clustering by its columns, settings and manifest as JSON. Made with
`independent`, which knows docs/format.md and nothing of ours.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import independent
from independent import Example

SEED = bytes(range(32))
DIMENSION = 3
SETTINGS: independent.Settings = {
    "format": 1,
    "seed": SEED.hex(),
    "encoder": "test",
    "encoder_digest": "none",
    "dimension": DIMENSION,
    "scale": 100,
    "shots": 2,
    "iterations": 2,
    "step": 20,
}

NUMBERS = (
    *("0", "1", "-1", "2", "255", "256", "257", "65535", "65536", "16777216", "2147483648", "4294967295"),
    *("4294967296", "1000000000", "9223372036854775807", "9223372036854775808", "18446744073709551616"),
    *("1.0", "2.5", "-0", "-0.0", "1e3", "1e999", "-1e999", "1e-999", "NaN", "Infinity", "-Infinity"),
    *("9" * 4000, "9" * 5000, "1" + "0" * 400 + ".0", "01", "0x1", "true", "false", "null"),
)
"""In place of a number."""

DEEP = "[" * 100_000 + "]" * 100_000
OTHERS = (
    *('""', '"1"', '" "', '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"e\\u0301"', '"\\u202e"', '"../../x"'),
    *(
        "[]",
        "{}",
        "[[]]",
        '{"a":1,"a":2}',
        '["a"]',
        "[1]",
        DEEP,
        "[" * 100_000,
        '{"a":' * 50_000,
        '"' + "x" * 5000 + '"',
    ),
    *("{", '"', "", "\x00", "\ufeff1", "//", '"\x01"', '"\\x41"', '"\n"'),
)
"""In place of anything."""

TEXTS = (
    *(b"", b" ", b"{}", b"[]", b"null", b"1", b'"a"', b"NaN", b"\xff", b"\x00", b"{", b"}", b"[" * 50_000),
    *(b'{"a":' * 50_000, b"9" * 5000, b'{"input":"a"}', b'{"output":"b"}', b'{"input":1,"output":2}'),
    b'{"input":"a","output":"b"} x',
    b'{"input":"a","output":"b"},{"input":"c","output":"d"}',
    b'{"input":"a","output":"b"}]',
    b'],[{"input":"a","output":"b"}',
    b'{"input":"a","input":"z","output":"b"}',
    b'{"output":"b","input":"a"}',
    b' {"input":"a","output":"b"}',
    b'{"input":"a","output":"b","more":1}',
    b'{"input":"a","output":"b","more":NaN}',
    b'{"input":"a","output":"b","more":' + b"9" * 5000 + b"}",
    b'{"input":"a","output":"b","tags":"x"}',
    b'{"input":"a","output":"b","tags":[1]}',
    b'{"input":"a","output":"b","tags":[]}',
    b'{"input":"a","output":"b","tags":["z","a","a"]}',
    b'{"input":"a","output":"b","tags":null,"source":null}',
    b'{"input":"a","output":"b","source":["s"]}',
    b'{"input":"","output":""}',
    b'{"input":" ","output":"\\n"}',
    b'{"input":"a\\u0000b","output":"b"}',
    b'{"input":"a","output":"\\u0000"}',
    b'{"input":"\\ud800","output":"b"}',
    b'{"input":"a","output":"b","tags":["\\udfff"]}',
    b'{"input":"a","output":"b","source":"\\ud800"}',
    b'{"input":"\\ud83d\\ude00","output":"\\u0062"}',
    b'{"input":"a\x00b","output":"b"}',
    b'{"input":"a\nb","output":"b"}',
    '{"input":"e\u0301","output":"\u212b"}'.encode(),
    '{"input":"\u202eabc\x1b[2J","output":"\u2028"}'.encode(),
    '{"input":"a","output":"b"}'.encode("utf-16"),
    b'\xef\xbb\xbf{"input":"a","output":"b"}',
    b'{"input":"' + b"long " * 30_000 + b'","output":"b"}',
    b'{"input":"a","output":"' + b"b" * 100_000 + b'"}',
)
"""In place of an example's text."""

TORN = (
    (b'{"input":"a","output":"b","more":[0', b'0]},{"input":"c","output":"d"}'),
    (b'{"input":"a","output":"b"},{"input":"c","output":"d","more":[0', b"1]}"),
    (b'{"input":"a","output":"b","more":"', b'"}'),
    (b'{"input":"a","output":"b","tags":["x', b'y"]},{"input":"c","output":"d"}'),
)
"""In place of two texts that follow each other: what they say together is as many examples."""

BYTES = (
    *(
        b"",
        b"\0",
        b"{}",
        b"[]",
        b"null",
        b"NaN",
        b"1" * 5000,
        b"\xff" * 64,
        bytes(500),
        b"[" * 100_000,
        b"{" * 9,
    ),
    struct.pack("<Q", (1 << 64) - 1) + b"{}",
    struct.pack("<Q", 1 << 62) + bytes(100),
    struct.pack("<Q", 100_000) + b"[" * 100_000,
    struct.pack("<Q", 2) + b"{}",
    struct.pack("<Q", 8) + b"[][][][]" + bytes(8),
)
"""In place of a whole file."""

Column = tuple[str, str, tuple[Any, ...], bytes]


@dataclass
class Forged:
    """A forged store.

    Attributes:
        tree: its files.
        rows: id and text of each row, in the order of the pages, of a store whose pages are still pages.
        done: what was changed, in words.
    """

    tree: dict[str, bytes]
    rows: list[tuple[bytes, bytes]] | None
    done: list[str]


@dataclass
class Parts:
    """A store that was taken apart.

    Attributes:
        settings: keys and JSON of store.json, in order.
        pages: path and count in JSON, and rows or columns or bytes of each page.
        clustering: its columns, or its bytes.
        manifest: keys and JSON of what stands in the manifest beside the pages.
        raw: bytes in place of settings or manifest.
    """

    settings: list[tuple[str, str]]
    pages: list[PageParts]
    clustering: list[Column] | bytes
    manifest: dict[str, str] = field(default_factory=dict)
    raw: dict[str, bytes] = field(default_factory=dict)


@dataclass
class PageParts:
    path: str
    count: str
    rows: list[tuple[bytes, bytes, bytes]]
    columns: list[Column] | None = None
    data: bytes | None = None
    digest: str | None = None


@cache
def _honest(number: int, settings: tuple[tuple[str, Any], ...]) -> dict[str, bytes]:
    """Return an honest store of so many examples."""
    rng = random.Random(number)
    d = dict(settings)["dimension"]
    examples = [
        Example(
            f"input {i}",
            f"output {i % 3}",
            "file" if i % 4 == 0 else None,
            ("a", "b\n") if i % 5 == 0 else (),
            tuple(rng.randint(-127, 127) for _ in range(d)),
        )
        for i in range(number)
    ]
    return independent.write(dict(settings), examples)


def _columns(data: bytes) -> list[Column]:
    """Return the columns of a file of tensors."""
    (length,) = struct.unpack_from("<Q", data)
    body = data[8 + length :]
    return [
        (name, told["dtype"], tuple(told["shape"]), body[slice(*told["data_offsets"])])
        for name, told in json.loads(data[8 : 8 + length]).items()
    ]


def _apart(files: dict[str, bytes]) -> Parts:
    """Take an honest store apart."""
    settings = [(name, json.dumps(value)) for name, value in sorted(json.loads(files["store.json"]).items())]
    told = json.loads(files["manifest"])
    pages = []
    for path, count, digest in told["pages"]:
        columns = {name: data for name, _, _, data in _columns(files[f"pages/{digest}.safetensors"])}
        ends = struct.unpack(f"<{count + 1}I", columns["offsets"])
        d = len(columns["vectors"]) // count
        rows = [
            (
                columns["ids"][16 * i : 16 * i + 16],
                columns["text"][ends[i] : ends[i + 1]],
                columns["vectors"][d * i : d * i + d],
            )
            for i in range(count)
        ]
        pages.append(PageParts(json.dumps(path), str(count), rows))
    (clustering,) = (data for name, data in files.items() if name.startswith("clustering/") and data)
    return Parts(settings, pages, _columns(clustering))


def _laid(rows: list[tuple[bytes, bytes, bytes]]) -> list[Column]:
    """Return the columns of a page with these rows, whatever they are."""
    ends = [0]
    for _, text, _ in rows:
        ends.append(ends[-1] + len(text))
    n, d = len(rows), len(rows[0][2]) if rows else DIMENSION
    return [
        ("offsets", "U32", (n + 1,), struct.pack(f"<{n + 1}I", *ends)),
        ("vectors", "I8", (n, d), b"".join(vector for _, _, vector in rows)),
        ("ids", "U8", (n, 16), b"".join(key for key, _, _ in rows)),
        ("text", "U8", (ends[-1],), b"".join(text for _, text, _ in rows)),
    ]


def _together(parts: Parts, seed: bytes, *, count: int) -> dict[str, bytes]:
    """Make a store of its parts, and compute every digest again."""

    def digest(data: bytes) -> str:
        return hashlib.blake2b(data, digest_size=32, key=seed).hexdigest()

    lines = ",\n".join(f'  "{name}": {value}' for name, value in parts.settings)
    settings = parts.raw.get("store.json", f"{{\n{lines}\n}}\n".encode(errors="surrogatepass"))
    tree = {"store.json": settings, "lock": b"", "pages/": b"", "clustering/": b"", "cache/": b""}
    named = []
    for page in parts.pages:
        data = independent.tensors(_laid(page.rows) if page.columns is None else page.columns)
        data = data if page.data is None else page.data
        name = digest(data) if page.digest is None else page.digest
        if "/" not in name and "\0" not in name and len(name) == 64:
            tree[f"pages/{name}.safetensors"] = data
        named.append(f'[{page.path},{page.count},"{name}"]')
    data = parts.clustering if isinstance(parts.clustering, bytes) else independent.tensors(parts.clustering)
    tree[f"clustering/{digest(data)}.safetensors"] = data
    last = {"clustering": f'"{digest(data)}"', "count": str(count), "settings": f'"{digest(settings)}"'}
    last |= parts.manifest
    tail = ",".join(f'"{name}":{value}' for name, value in sorted(last.items()))
    manifest = '{"pages":[\n' + ",\n".join(named) + "\n],\n" + tail + "}\n"
    tree["manifest"] = parts.raw.get("manifest", manifest.encode(errors="surrogatepass"))
    return tree


class _Forger:
    """Changes one thing after another in a store that was taken apart."""

    def __init__(self, rng: random.Random, parts: Parts) -> None:
        self.rng = rng
        self.parts = parts
        self.done: list[str] = []

    def change(self) -> None:
        """Change one thing."""
        ways = [self.setting, self.manifest, self.clustering, self.clustering_numbers, self.whole]
        if self.parts.pages:
            ways += [self.text, self.text, self.torn, self.row, self.row, self.columns, self.leaf, self.page]
        self.rng.choice(ways)()

    def any_page(self) -> PageParts:
        return self.rng.choice(self.parts.pages)

    def value(self) -> str:
        return self.rng.choice(NUMBERS if self.rng.random() < 0.7 else OTHERS)

    def setting(self) -> None:
        at = self.rng.randrange(len(self.parts.settings))
        name, old = self.parts.settings[at]
        how = self.rng.randrange(6)
        value = self.value()
        if how == 0:
            del self.parts.settings[at]
        elif how == 1:
            self.parts.settings.insert(at, (name, value))
        elif how == 2:
            self.parts.settings.append((self.rng.choice(("more", "task", "sealed", "a\\u0000")), value))
        else:
            self.parts.settings[at] = (name, value)
        self.done.append(f"setting {name} ({how}): {old} -> {value[:40]}")

    def manifest(self) -> None:
        name = self.rng.choice(("clustering", "count", "settings", "labels", "more", "pages"))
        self.parts.manifest[name] = value = self.value()
        self.done.append(f"manifest {name}: {value[:40]}")

    def leaf(self) -> None:
        page, pages = self.any_page(), self.parts.pages
        how = self.rng.randrange(7)
        if how == 0:
            page.count = self.value()
        elif how == 1:
            page.path = self.value()
        elif how == 2:
            page.path = json.dumps(self.rng.choice("01") * self.rng.choice((1, 2, 127, 128, 129, 5000)))
        elif how == 3:
            pages.append(self.rng.choice(pages))
        elif how == 4:
            pages.reverse()
        elif how == 5:
            page.digest = self.rng.choice(
                ("", "x" * 64, "0" * 64, "../../store.json", "F" * 64, "0" * 63 + "\\u0000")
            )
        else:
            page.count = str(self.rng.choice((len(page.rows) + 1, len(page.rows) - 1, 255, 256)))
        self.done.append(f"leaf ({how}): {page.path[:40]} {page.count[:40]}")

    def text(self) -> None:
        rows = self.any_page().rows
        i = self.rng.randrange(len(rows)) if rows else 0
        text = self.rng.choice(TEXTS)
        if rows:
            key = rows[i][0]
            if self.rng.random() < 0.5:  # under its own id, as far as the page has room for it there
                key = hashlib.blake2b(text, digest_size=16, key=SEED).digest()
            rows[i] = (key, text, rows[i][2])
            if self.rng.random() < 0.8:
                rows.sort()
        self.done.append(f"text {text[:60]!r}")

    def torn(self) -> None:
        rows = self.any_page().rows
        if len(rows) > 1:
            i = self.rng.randrange(len(rows) - 1)
            for at, text in zip((i, i + 1), self.rng.choice(TORN), strict=True):
                rows[at] = (rows[at][0], text, rows[at][2])
            self.done.append(f"torn text {rows[i][1][:60]!r}")

    def row(self) -> None:
        """Change the rows of a page, sometimes with its ids in order and the count as it should be then."""
        page, rng = self.any_page(), self.rng
        if not page.rows:
            return
        how = rng.randrange(8)
        page.rows[:] = self.other_rows(page.rows, how)
        if rng.random() < 0.5:
            page.rows.sort()
        if rng.random() < 0.5:
            page.count = str(len(page.rows))
        self.done.append(f"row ({how})")

    def other_rows(self, rows: list[tuple[bytes, bytes, bytes]], how: int) -> list[tuple[bytes, bytes, bytes]]:
        """Return rows with one changed."""
        rng = self.rng
        i, other = rng.randrange(len(rows)), rng.choice(rows)
        key, text, vector = rows[i]
        changed = [
            [(other[0], text, vector)],
            [other],
            [rows[i], rows[i]],
            [(rng.choice((bytes(16), b"\xff" * 16, rng.randbytes(16))), text, vector)],
            [(key, text, bytes([128]) * len(vector))],
            [(key, text, bytes(len(vector)))],
            [],
            [(other[0][:12] + rng.randbytes(4), text, vector)],
        ]
        return [*rows[:i], *changed[how], *rows[i + 1 :]]

    def columns(self) -> None:
        page = self.any_page()
        page.columns = self.columns_of(_laid(page.rows) if page.columns is None else page.columns)

    def clustering(self) -> None:
        if not isinstance(self.parts.clustering, bytes):
            self.parts.clustering = self.columns_of(self.parts.clustering)

    def columns_of(self, columns: list[Column]) -> list[Column]:
        """Return columns with one thing changed."""
        rng, columns = self.rng, [*columns]
        i, how = rng.randrange(len(columns)), rng.randrange(8)
        name, kind, shape, data = columns[i]
        if how == 0:
            columns[i] = (name, rng.choice(("U8", "I64", "F32", "BOOL", "U128")), shape, data)
        elif how == 1:
            changed = [*shape]
            changed[rng.randrange(len(shape))] = rng.choice(NUMBERS)
            columns[i] = (name, kind, tuple(changed), data)
        elif how == 2:
            columns[i] = (name, kind, shape, data[: rng.randrange(len(data) + 1)])
        elif how == 3:
            columns[i] = (name, kind, shape, data + rng.randbytes(rng.randrange(1, 20)))
        elif how == 4:
            del columns[i]
        elif how == 5:
            columns.insert(i, columns[i])
        elif how == 6:
            rng.shuffle(columns)
        else:
            changed_data = bytearray(data)
            for _ in range(rng.randrange(1, 4)):
                if changed_data:
                    changed_data[rng.randrange(len(changed_data))] = rng.choice((0, 1, 127, 128, 255))
            columns[i] = (name, kind, shape, bytes(changed_data))
        self.done.append(f"column {name} ({how})")
        return columns

    def clustering_numbers(self) -> None:
        """Put other numbers of the right size into the clustering, or leave it without clusters."""
        if isinstance(self.parts.clustering, bytes):
            return
        rng = self.rng
        if rng.random() < 0.2:
            shapes = {"counts": (2, 0), "sums": (2, 0, DIMENSION), "start": (0, DIMENSION)}
            shapes |= dict.fromkeys(("representatives", "winners"), (0, 16))
            self.parts.clustering = [
                (name, kind, shapes.get(name, (0,)), b"") for name, kind, *_ in self.parts.clustering
            ]
            self.done.append("no clusters")
            return
        i = rng.randrange(len(self.parts.clustering))
        name, kind, shape, data = self.parts.clustering[i]
        size, letter = independent.SIZES[kind]
        bits = 8 * size - letter.islower()
        low = -(1 << bits) if letter.islower() else 0
        some = (0, 1, 2, low, (1 << bits) - 1, rng.randrange(low, 1 << bits), 3, max(low, -1))
        numbers = [rng.choice(some) for _ in range(len(data) // size)]
        self.parts.clustering[i] = (name, kind, shape, struct.pack(f"<{len(numbers)}{letter}", *numbers))
        self.done.append(f"numbers of {name}")

    def page(self) -> None:
        page = self.any_page()
        page.data = data = self.rng.choice(BYTES)
        self.done.append(f"page {data[:20]!r}")

    def whole(self) -> None:
        name, data = self.rng.choice(("store.json", "manifest", "clustering")), self.rng.choice(BYTES)
        if name == "clustering":
            self.parts.clustering = data
        else:
            self.parts.raw[name] = data
        self.done.append(f"{name} {data[:20]!r}")


def rewritten(tree: dict[str, bytes], change: Callable[[Parts], None]) -> dict[str, bytes]:
    """Return an honest store with something changed and every digest computed again.

    Args:
        tree: its files; what is in its cache goes.
        change: is given the parts of the store.
    """
    parts = _apart(tree)
    change(parts)
    seed = bytes.fromhex(json.loads(tree["store.json"])["seed"])
    return _together(parts, seed, count=sum(int(page.count) for page in parts.pages))


def forge(number: int, **settings: Any) -> Forged:
    """Return a forged store.

    Args:
        number: which.
        settings: in place of those of `SETTINGS`.
    """
    rng = random.Random(number)
    chosen = SETTINGS | settings
    parts = _apart(_honest(rng.choice((0, 1, 2, 5, 5, 9)), tuple(chosen.items())))
    if rng.random() < 0.1:  # with a setting changed throughout
        name = rng.choice(("shots", "step", "iterations", "scale"))
        at = [key for key, _ in parts.settings].index(name)
        parts.settings[at] = (name, rng.choice(NUMBERS[:12]))
    forger = _Forger(rng, parts)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        forger.change()
    whole = [page for page in parts.pages if page.columns is None and page.data is None]
    rows = [(key, text) for page in whole for key, text, _ in page.rows]
    counts = [page.count for page in parts.pages]
    count = sum(int(one) for one in counts if one.isdecimal() and len(one) < 4000)
    tree = _together(parts, SEED, count=count)
    return Forged(tree, rows if whole == parts.pages else None, forger.done)
