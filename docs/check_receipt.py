"""Check a receipt of edge-icl without edge-icl: alone, against a public key, and against the store it is of.

    python check_receipt.py RECEIPT [--key PUBLIC] [--store FOLDER]

Made from docs/format.md alone, to be read before it is trusted. It needs Python 3.11, and cryptography for a
signature and for an encrypted store, whose passphrase it asks for or takes from EDGE_ICL_PASSPHRASE. It writes
nothing and opens no connection. Exit code: 0 all holds, 3 something does not, 1 something cannot be told. What
this shows and what it does not: docs/fleet.md, "Proof for others".
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import json
import os
import re
import struct
import sys
import unicodedata
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

ID, DIGEST, SIGNATURE = (re.compile(f"[0-9a-f]{{{digits}}}") for digits in (32, 64, 128))
TIME = re.compile("[0-9]{4}(-[0-9]{2}){2}T([0-9]{2}:){2}[0-9]{2}Z")
TEXTS = {"key": DIGEST, "root_after": DIGEST, "root_before": DIGEST, "store": DIGEST, "time": TIME}
TEXTS |= {"signature": SIGNATURE}
ONLY_SIGNED = {"edge_icl_receipt", "key", "leaves", "signature", "time"}
NOT_SIGNED_SO = "it is not what was signed: it was changed since, or is not whole"
LINE = re.compile("[01]{0,128},[1-9][0-9]{0,2},[0-9a-f]{64}")
KEY_FIELDS = {"format", "keyring", "lanes", "memory", "passes", "salt", "wrapped"}
LARGEST_PAGE = 256
HOLDS, UNKNOWN, WRONG = 0, 1, 3
found = {HOLDS}


class DoesNotHold(Exception):  # noqa: N818 - a result
    """What is claimed does not hold, and there is no point in going on."""


def tell(code: int, text: str) -> None:
    """Print what was found, and keep it for the exit code."""
    found.add(code)
    print({HOLDS: "ok      ", UNKNOWN: "unknown ", WRONG: "WRONG   "}[code] + text)


def require(right: object, wrong: str) -> None:
    """End with what does not hold."""
    if not right:
        raise DoesNotHold(wrong)


def canonical(fields: Any) -> bytes:
    """Return canonical JSON of what is in ASCII."""
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()


def bits(id: str) -> str:
    """Return an id as 128 bits."""
    return f"{int(id, 16):0128b}"


def above(paths: list[str], ids: list[str]) -> set[str]:
    """Return the paths with which the bits of an id begin."""
    known, lengths = set(paths), {len(path) for path in paths}
    return {bits(id)[:length] for id in ids for length in lengths} & known


def is_line(line: list[Any]) -> bool:
    """Tell whether this is a line of a manifest: a leaf's path, count and digest."""
    right = LINE.fullmatch(f"{line[0]},{line[1]},{line[2]}") and [*map(type, line)] == [str, int, str]
    return bool(right) and line[1] <= LARGEST_PAGE


def read_receipt(data: bytes) -> dict[str, Any]:
    """Return the fields of a receipt. One that is signed must be in the one form that there is, to the byte."""
    try:
        fields: dict[str, Any] = json.loads(data)
        require(fields["ids"] and all(ID.fullmatch(id) for id in fields["ids"]), "this is not a receipt")
        require(isinstance(fields["root_after"], str), "this is not a receipt")
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DoesNotHold("this is not a receipt") from None
    version = fields.get("edge_icl_receipt")
    require(type(version) is not int or version <= 1, f"version {version} is newer than this program")
    try:
        require(not fields.keys() & ONLY_SIGNED or is_signed_form(fields, data), NOT_SIGNED_SO)
    except (KeyError, TypeError, AttributeError, IndexError):
        raise DoesNotHold(NOT_SIGNED_SO) from None
    return fields


def is_signed_form(fields: dict[str, Any], data: bytes) -> bool:
    """Tell whether this is the form of a signed receipt, and each leaf above an id."""
    ids, paths = fields["ids"], [line[0] for line in fields["leaves"]]
    return (
        data == canonical(fields) + b"\n"
        and fields.keys() == {*TEXTS, "edge_icl_receipt", "ids", "leaves"}
        and repr(fields["edge_icl_receipt"]) == "1"
        and all(form.fullmatch(fields[name]) for name, form in TEXTS.items())
        and ids == sorted(set(ids))
        and all(map(is_line, fields["leaves"]))
        and paths == sorted(above(paths, ids))
        and not any(longer.startswith(path) for path, longer in pairwise(paths))
    )


def check_signature(fields: dict[str, Any], wanted: str | None) -> None:
    """Check that a receipt is what was signed, and with which key."""
    if "signature" not in fields:
        tell(UNKNOWN if wanted is None else WRONG, "it is not signed: anyone may have written or changed it")
        return
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        tell(UNKNOWN, "its signature cannot be checked: pip install cryptography")
        return
    signed = {name: value for name, value in fields.items() if name != "signature"}
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(fields["key"]))
        key.verify(bytes.fromhex(fields["signature"]), b"edge-icl/receipt\n" + canonical(signed))
    except (InvalidSignature, ValueError):
        raise DoesNotHold(NOT_SIGNED_SO) from None
    tell(HOLDS, f"it is, to the byte, what was signed with the key {fields['key']}")
    require(wanted in (None, fields["key"]), f"it is not signed with the key {wanted}")


class Store:
    """A store, of which nothing is believed. In an encrypted one `key` is what its files are sealed with."""

    def __init__(self, path: Path) -> None:
        self.path, self.key, self.settings = path, None, (path / "store.json").read_bytes()
        if "sealed" in json.loads(self.settings):
            self.key = unwrapped((path / "key").read_bytes())
            sealed = json.loads(self.settings)["sealed"]
            written = json.dumps({"format": 2, "sealed": sealed}, indent=2) + "\n"
            require(self.settings == written.encode(), "store.json is damaged")
            self.settings = self.opened("store.json", bytes.fromhex(sealed))
        self.seed = bytes.fromhex(json.loads(self.settings)["seed"])

    def opened(self, name: str, data: bytes) -> bytes:
        """Return the content of a file, given its bytes on the disk."""
        if self.key is None or name in ("key", "lock"):
            return data
        content = unsealed(self.key, data, name.partition("/")[0].encode())
        require(content is not None, f"{name} is not what was sealed")
        return content or b""

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return self.settings if name == "store.json" else self.opened(name, (self.path / name).read_bytes())

    def digest(self, data: bytes, size: int = 32) -> str:
        """Return the keyed digest of bytes."""
        return hashlib.blake2b(data, digest_size=size, key=self.seed).hexdigest()


def unsealed(key: bytes, data: bytes, bound: bytes) -> bytes | None:
    """Return what was sealed with a key; None if it was not."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    try:
        return AESSIV(key).decrypt(data, [bound])
    except InvalidTag:
        return None


def unwrapped(data: bytes) -> bytes:
    """Return the data key of an encrypted store, given its file `key`; asks for the passphrase."""
    told = json.loads(data)
    rest = {name: told[name] for name in KEY_FIELDS}
    checksum = hashlib.blake2b(canonical(rest), digest_size=8).hexdigest()
    require(data == canonical({**rest, "checksum": checksum}) + b"\n", "the file `key` is damaged")
    memory, passes, lanes = told["memory"], told["passes"], told["lanes"]
    require(memory <= 1 << 20 and memory * passes <= 1 << 22 and lanes < 1 << 5, "`key` asks for too much work")
    secret = os.environ.get("EDGE_ICL_PASSPHRASE") or (sys.stdin.isatty() and getpass.getpass("passphrase: "))
    if not secret:
        raise PermissionError("the store is encrypted: without its passphrase nothing in it can be read")
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    salt, bound = bytes.fromhex(told["salt"]), ("keyring", "lanes", "memory", "passes", "salt")
    stretch = Argon2id(salt=salt, length=64, iterations=passes, lanes=lanes, memory_cost=memory)
    wrapping = stretch.derive(unicodedata.normalize("NFC", secret).encode())
    key = unsealed(wrapping, bytes.fromhex(told["wrapped"]), canonical({name: told[name] for name in bound}))
    if key is None:
        raise PermissionError("this passphrase does not open the store")
    return key


def check_store(fields: dict[str, Any], store: Store) -> None:
    """Check what a receipt says of a store, and that nothing in the store has one of its ids."""
    data, ids = store.read("manifest"), fields["ids"]
    last = json.loads(data)
    lines = last.pop("pages")
    pages = b",\n".join(map(canonical, lines))  # written again, so that nothing can stand there twice
    written = b'{"pages":[\n' + pages + b"\n],\n" + canonical(last)[1:] + b"\n"
    require(data == written and all(map(is_line, lines)), "the manifest is damaged")
    whole = {*last} | {"labels"} == {"clustering", "count", "labels", "settings"}
    whole = whole and last.get("labels", "no") in ("yes", "no") and DIGEST.fullmatch(last["clustering"])
    require(whole and last["count"] == sum(line[1] for line in lines), "the manifest is damaged")
    require(last["settings"] == store.digest(store.settings), "the manifest is of other settings")
    require(fields.get("store") in (None, store.digest(b"receipt")), "the receipt is of another store")
    root = store.digest(data)
    same = root == fields["root_after"]
    tell(HOLDS, f"the store's root is {root}: it {'is as it was then' if same else 'has changed since'}")
    if same and "leaves" in fields:
        paths = above([line[0] for line in lines], ids)
        leaves = [line for line in lines if line[0] in paths]
        require(leaves == fields["leaves"], "its leaves are not those of this root")
        tell(HOLDS, "its leaves are those of this root above its ids: only their pages could hold them")
    held = {id for line in lines for id in ids_in_page(store, *line)}
    back = ", ".join(sorted(held & {*ids}))
    require(not back, f"in the store: {back}")
    tell(HOLDS, f"none of its ids is among the {len(held):,} in the store")
    clustering = f"clustering/{last['clustering']}.safetensors"
    require(store.digest(store.read(clustering)) == last["clustering"], f"{clustering} is damaged")
    names = {"store.json", "manifest", "lock", clustering}
    names |= {f"pages/{line[2]}.safetensors" for line in lines} | ({"key"} if store.key else set())
    check_files(store, names, [needle for id in ids for needle in (bytes.fromhex(id), id.encode())])


def ids_in_page(store: Store, path: str, n: int, name: str) -> list[str]:
    """Return the ids in a page of n examples: each must be that of its text, and begin with the path."""
    file, d = f"pages/{name}.safetensors", json.loads(store.settings)["dimension"]
    data = store.read(file)
    require(store.digest(data) == name, f"{file} is not what its name says")
    start = 8 + struct.unpack("<Q", data[:8])[0]
    size = len(data) - start - 4 * (n + 1) - n * d - 16 * n
    columns = {
        "offsets": ("U32", [n + 1]),
        "vectors": ("I8", [n, d]),
        "ids": ("U8", [n, 16]),
        "text": ("U8", [size]),
    }
    ends = [*accumulate((0, 4 * (n + 1), n * d, 16 * n, size))]
    told = zip(columns.items(), pairwise(ends), strict=True)
    header = {k: {"dtype": t, "shape": shape, "data_offsets": [*span]} for (k, (t, shape)), span in told}
    written = json.dumps(
        header, separators=(",", ":")
    ).encode()  # the only header that there is: it hides nothing
    require(data[8:start] == written + b" " * (-len(written) % 8), f"{file} is damaged")
    offsets, _, ids, text = (data[start:][begin:end] for begin, end in pairwise(ends))
    cuts = struct.unpack(f"<{n + 1}I", offsets)
    held = [store.digest(text[begin:end], 16) for begin, end in pairwise(cuts)]
    whole = (cuts[0], cuts[-1]) == (0, size) and held == sorted(held)
    require(whole and "".join(held) == ids.hex(), f"{file}: its ids are not those of its texts")
    require(all(bits(id).startswith(path) for id in held), f"{file} holds an example of another page")
    return held


def check_files(store: Store, names: set[str], needles: list[bytes]) -> None:
    """Check that there are no other files than these and cached states, and that no byte of them is an id."""
    files = [path for path in sorted(store.path.rglob("*")) if path.is_symlink() or not path.is_dir()]
    for path in files:
        name = path.relative_to(store.path).as_posix()
        known = path.is_file() and not path.is_symlink() and (name in names or name.startswith("cache/"))
        require(known, f"{name} is no file of the store, and was not read")
        content = store.read(name)
        require(not any(needle in content for needle in needles), f"{name} holds an id of the receipt")
    tell(HOLDS, f"{len(files):,} files are all that is there, and no byte of them is one of the ids")


def main() -> int:
    """Check what the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("receipt", type=Path, metavar="RECEIPT")
    parser.add_argument("--key", metavar="PUBLIC", help="the public key that must have signed it")
    parser.add_argument("--store", type=Path, metavar="FOLDER", help="the store that it is of")
    given = parser.parse_args()
    try:
        fields = read_receipt(given.receipt.read_bytes())
        check_signature(fields, given.key)
        when = f"on {fields['time']}, by the clock of who signed it, " if "time" in fields else ""
        print(f"        {when}it says that {len(fields['ids']):,} of the store's examples were forgotten")
        if given.store is not None:
            check_store(fields, Store(given.store))
    except DoesNotHold as error:
        tell(WRONG, str(error))
    except (OSError, ImportError) as error:
        tell(UNKNOWN, str(error))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, struct.error, RecursionError) as error:
        tell(WRONG, f"{given.store} is not a store, or is damaged: {error!r}")
    print({HOLDS: "all holds", UNKNOWN: "not all can be told", WRONG: "it does not hold"}[max(found)])
    return max(found)


if __name__ == "__main__":
    sys.exit(main())
