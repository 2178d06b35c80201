"""Receipts: what one says, how one is signed, and reading one that anybody may have written or changed.

    {"edge_icl_receipt":1,"ids":["0c…"],"key":"5d…","leaves":[["0000",140,"9f…"]],"root_after":"b2…",
     "root_before":"77…","signature":"e1…","store":"4a…","time":"2026-11-27T14:31:00Z"}

A signed receipt is one line of canonical JSON; the signature covers every byte of it but its own. Its leaves
are those of the manifest after the forget below which the ids would be: a page of such a leaf is the only place
where an example could still be, and where an id has no leaf there is none. So who has the store can follow what
is claimed from the root to the bytes of a page (docs/format.md, "Receipts").

A receipt that is not signed is any object with ids and the root after: of every version, and of other sources.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_icl.access import signing
from edge_icl.errors import InputError, SignatureError
from edge_icl.example import ID_BYTES
from edge_icl.results import RECEIPT
from edge_icl.store.trie import PAGE_MAX, Leaf, Trie

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edge_icl.access.signing import SigningKey
    from edge_icl.store.manifest import Manifest
    from edge_icl.store.settings import Settings

    Sign = Callable[[Iterable[bytes], str, Manifest], str]
    """From the ids that are forgotten, the root before and the manifest after to the signed receipt."""

VERSION = 1
DOMAIN = b"edge-icl/receipt\n"
"""What a signature covers before the receipt, so that it is one of nothing else."""

ALWAYS = {"ids", "root_after", "root_before", "store"}
ONLY_SIGNED = {"edge_icl_receipt", "key", "leaves", "signature", "time"}
"""Fields of which only a signed receipt has any. It has them all: none can be taken away unnoticed."""

_DIGEST = re.compile("[0-9a-f]{64}")
_ID = re.compile(f"[0-9a-f]{{{2 * ID_BYTES}}}")
_PATH = re.compile(f"[01]{{0,{8 * ID_BYTES}}}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


class Signed(NamedTuple):
    """What only a signed receipt says.

    Attributes:
        key: the public key that signed it, 64 hex digits.
        time: when, by the clock of who signed it: "2026-11-27T14:31:00Z".
        root_before: the store's root before the forget.
        leaves: those of the store after it under which the ids would be, in the order of their paths.
    """

    key: str
    time: str
    root_before: str
    leaves: tuple[Leaf, ...]


class Claims(NamedTuple):
    """What a receipt says.

    Attributes:
        ids: of the forgotten examples.
        root_after: the store's root after they were forgotten.
        store: names the store; None in a receipt of an earlier edge-icl.
        signed: what a signed receipt says besides; None for one that is not signed.
    """

    ids: tuple[bytes, ...]
    root_after: str
    store: str | None
    signed: Signed | None


def signer_of(settings: Settings) -> Sign:
    """Return what signs receipts of a store, after its change is made, with the key of this home.

    What can be refused is refused here, while nothing is changed yet.

    Raises:
        NotInstalledError: the package cryptography is not installed.
        SignatureError: the key of this home is damaged or exposed, or cannot be made.
        StoreExposedError: other users may write to the home.
    """
    key = signing.own_key()

    def signed(ids: Iterable[bytes], root_before: str, after: Manifest) -> str:
        try:
            return sign(key, settings, ids, root_before, after)
        except Exception as error:  # whatever a library raises: what is said of the change must be true
            why = str(error) or type(error).__name__
            raise SignatureError(
                f"the examples are forgotten, but their receipt cannot be signed: {why}",
                "check the store without a receipt: edge-icl verify",
                committed=True,
            ) from error

    return signed


def sign(key: SigningKey, settings: Settings, ids: Iterable[bytes], root_before: str, after: Manifest) -> str:
    """Return a signed receipt, as the text of its file.

    Args:
        key: what signs it.
        settings: the store's.
        ids: of the forgotten examples.
        root_before: the store's root before.
        after: its manifest after.
    """
    gone = sorted(ids)
    fields: dict[str, Any] = {
        "edge_icl_receipt": VERSION,
        "ids": [one.hex() for one in gone],
        "key": key.public,
        "leaves": leaves(after.trie, gone),
        "root_after": settings.digest(after.encode()),
        "root_before": root_before,
        "store": settings.digest(RECEIPT),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    return _canonical({**fields, "signature": key.sign(DOMAIN + _canonical(fields).encode())}) + "\n"


def leaves(trie: Trie, ids: Iterable[bytes]) -> list[Leaf]:
    """Return the leaves under which examples with these ids are or would be, in the order of their paths."""
    found = {trie.leaf_of(int.from_bytes(one)) for one in ids}
    return sorted(leaf for leaf in found if leaf is not None)


def read(receipt: Mapping[str, Any] | str | bytes) -> Claims:
    """Return what a receipt says. If it is signed, it is what was signed.

    Args:
        receipt: its fields, or the content of its file. A signed one must be the file to the byte.

    Raises:
        InputError: this is not a receipt, or a newer edge-icl has signed it.
        SignatureError: it is not what was signed.
        NotInstalledError: it is signed, and the package cryptography is not installed.
    """
    fields = receipt if isinstance(receipt, Mapping) else _parsed(receipt)
    if not fields.keys() & ONLY_SIGNED:
        return _unsigned(fields)
    version = fields.get("edge_icl_receipt")
    if type(version) is int and version > VERSION:
        raise InputError("a newer edge-icl has signed this receipt", "update edge-icl")
    if fields.keys() != ALWAYS | ONLY_SIGNED or not _is_valid(fields):
        raise _changed()
    written = _canonical(fields) + "\n"
    if isinstance(receipt, str | bytes) and receipt != (
        written if isinstance(receipt, str) else written.encode()
    ):
        raise _changed()
    message = DOMAIN + _canonical(fields, leave="signature").encode()
    if not signing.holds(message, fields["signature"], by=fields["key"]):
        raise _changed()
    told = tuple(Leaf(*one) for one in fields["leaves"])
    ids = tuple(map(bytes.fromhex, fields["ids"]))
    signed = Signed(fields["key"], fields["time"], fields["root_before"], told)
    return Claims(ids, fields["root_after"], fields["store"], signed)


def _parsed(text: str | bytes) -> dict[str, Any]:
    """Return the fields in the content of a file.

    Raises:
        InputError: there are none.
    """
    try:
        fields = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise _none()
    return fields


def _unsigned(fields: Mapping[str, Any]) -> Claims:
    """Return what a receipt says that is not signed.

    Raises:
        InputError: this is not a receipt.
    """
    try:
        ids, root = tuple(bytes.fromhex(text) for text in fields["ids"]), fields["root_after"]
        of = fields.get("store")
    except (KeyError, TypeError, ValueError):
        ids, root, of = (), None, None
    # Only whole ids: no example has the beginning of an id for its id, so it would be taken for forgotten.
    if (
        not ids
        or any(len(one) != ID_BYTES for one in ids)
        or not isinstance(root, str)
        or not isinstance(of, str | None)
    ):
        raise _none()
    return Claims(ids, root, of, None)


def _is_valid(fields: Mapping[str, Any]) -> bool:
    """Tell whether every field of a signed receipt is of the form that it has."""
    ids, told = fields["ids"], fields["leaves"]
    digests = (fields["root_after"], fields["root_before"], fields["store"])
    return (
        type(fields["edge_icl_receipt"]) is int
        and fields["edge_icl_receipt"] == VERSION
        and all(_matches(_DIGEST, one) for one in digests)
        and _matches(_TIME, fields["time"])
        and signing.is_key(fields["key"])
        and signing.is_signature(fields["signature"])
        and _ascend(ids, _ID)
        and _are_leaves(told)
        and _are_above(told, ids)
    )


def _ascend(texts: object, form: re.Pattern[str]) -> bool:
    """Tell whether this is a list of such texts, at least one, sorted, each once."""
    return (
        isinstance(texts, list)
        and bool(texts)
        and all(_matches(form, one) for one in texts)
        and all(one < other for one, other in pairwise(texts))
    )


def _are_leaves(told: object) -> bool:
    """Tell whether this is a list of leaves."""
    return isinstance(told, list | tuple) and all(
        isinstance(one, list | tuple)
        and len(one) == len(Leaf._fields)
        and _matches(_PATH, one[0])
        and type(one[1]) is int
        and 0 < one[1] <= PAGE_MAX
        and _matches(_DIGEST, one[2])
        for one in told
    )


def _are_above(told: Sequence[Sequence[Any]], ids: Sequence[str]) -> bool:
    """Tell whether leaves are in the order of their paths, none above another, and an id below each."""
    if any(other[0].startswith(one[0]) or other[0] < one[0] for one, other in pairwise(told)):
        return False
    trie = Trie([Leaf(*one) for one in told])
    return leaves(trie, map(bytes.fromhex, ids)) == list(trie.leaves)


def _matches(form: re.Pattern[str], text: object) -> bool:
    """Tell whether this is a text of such a form."""
    return isinstance(text, str) and form.fullmatch(text) is not None


def _canonical(fields: Mapping[str, Any], *, leave: str | None = None) -> str:
    """Return canonical JSON of fields, but for one that is left out."""
    kept = {name: value for name, value in fields.items() if name != leave}
    return json.dumps(kept, separators=(",", ":"), sort_keys=True)


def _none() -> InputError:
    return InputError("this is not a receipt of edge-icl", "give the file that forget --receipt wrote")


def _changed() -> SignatureError:
    return SignatureError(
        "the receipt is not what was signed: it was changed since, or is not whole",
        "ask who signed it for the file as it was written, to the byte",
    )
