"""A signed receipt is what was signed, to the byte, or nothing; an unsigned one is what it always was."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from repository import REPOSITORY
from stores import SETTINGS, commit, make, row, rows, unlock

from edge_icl.access import receipts, signing
from edge_icl.access.receipts import ALWAYS, ONLY_SIGNED, read
from edge_icl.access.signing import SigningKey
from edge_icl.access.verification import verify
from edge_icl.errors import EdgeIclError, InputError, SignatureError
from edge_icl.results import RECEIPT
from edge_icl.store.disk import Store
from edge_icl.store.findings import Finding, Problem, Verification
from edge_icl.store.manifest import Manifest
from edge_icl.store.trie import Leaf, split

KEY = SigningKey(
    public="d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    private="9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
)
OTHER = SigningKey(
    public="3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    private="4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
)
"""The first two test vectors of RFC 8032, section 7.1."""

SMALL = 40
ids = st.integers(0, 2**128 - 1).map(lambda number: number.to_bytes(16))


def forgotten(store: Store, *gone: int, key: SigningKey = KEY) -> str:
    """Forget some rows, and return the signed receipt."""
    removed = [row(number).id for number in gone]
    change = commit(store, removed=removed)
    return receipts.sign(key, store.settings, removed, change.root_before, change.after)


def resigned(fields: dict[str, Any], key: SigningKey = KEY) -> str:
    """Return a receipt with these fields, signed by a program that signs anything."""
    rest = {name: value for name, value in fields.items() if name != "signature"} | {"key": key.public}
    text = json.dumps(rest, separators=(",", ":"), sort_keys=True)
    signature = key.sign(b"edge-icl/receipt\n" + text.encode())
    return json.dumps({**rest, "signature": signature}, separators=(",", ":"), sort_keys=True) + "\n"


def manifest_of(held: list[bytes]) -> Manifest:
    """Return a manifest with the leaves of these ids."""
    numbers = sorted(map(int.from_bytes, set(held)))
    pages = [Leaf(path, len(numbers[part]), "5e" * 32) for path, part in split("", numbers)]
    return Manifest("aa" * 32, len(numbers), "cc" * 32, tuple(pages))


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A receipt of three examples out of 600, in three leaves at least."""
    return forgotten(make(tmp_path_factory.mktemp("signed") / "store", rows(range(600))), 3, 77, 500)


@pytest.mark.usefixtures("kind")
def test_a_signed_receipt_tells_what_was_forgotten_and_from_where(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(600)))
    before = store.snapshot().root
    text = forgotten(store, 3, 77, 500)
    after = store.snapshot()

    claims = read(text)

    assert claims == read(text.encode()) == read(json.loads(text))
    assert claims.ids == tuple(sorted(row(number).id for number in (3, 77, 500)))
    assert (claims.root_after, claims.store) == (after.root, SETTINGS.digest(RECEIPT))
    assert claims.signed is not None
    assert (claims.signed.key, claims.signed.root_before) == (KEY.public, before)
    assert {after.manifest.trie.leaf_of(int.from_bytes(one)) for one in claims.ids} == {*claims.signed.leaves}
    assert SETTINGS.seed.hex() not in text
    assert set(json.loads(text)) == ALWAYS | ONLY_SIGNED
    assert checked(store, receipt=text).ok


@settings(deadline=None)
@given(held=st.lists(ids, max_size=1200), gone=st.lists(ids, min_size=1, max_size=5))
@example(held=[], gone=[bytes(16)])
@example(held=[number.to_bytes(16) for number in range(257)], gone=[b"\xff" * 16, bytes(16)])
def test_of_any_set_a_receipt_has_the_leaves_above_its_ids_and_no_other(
    held: list[bytes], gone: list[bytes]
) -> None:
    after = manifest_of([one for one in held if one not in gone])

    claims = read(receipts.sign(KEY, SETTINGS, {*gone}, "bb" * 32, after))

    assert claims.ids == tuple(sorted({*gone}))
    assert claims.root_after == SETTINGS.digest(after.encode())
    assert claims.signed is not None
    bits = [f"{int.from_bytes(one):0128b}" for one in gone]
    assert claims.signed.leaves == tuple(
        leaf for leaf in after.pages if any(one.startswith(leaf.path) for one in bits)
    )


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_receipt_of_which_any_byte_is_another_is_refused(data: st.DataObject, text: str) -> None:
    whole = text.encode()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    how = data.draw(st.sampled_from(["another", "gone", "one more"]))
    middle = {"another": bytes([byte]), "gone": b"", "one more": bytes([byte, whole[place]])}[how]
    changed = whole[:place] + middle + whole[place + 1 :]

    with pytest.raises((InputError, SignatureError)):
        read(changed)


def test_a_receipt_of_which_white_space_or_the_order_is_another_is_refused(text: str) -> None:
    fields = json.loads(text)

    for changed in (
        json.dumps(fields) + "\n",
        json.dumps(dict(reversed(fields.items())), separators=(",", ":")) + "\n",
        *(text.rstrip("\n"), text + "\n", "\ufeff" + text, text.replace("\n", "\r\n"), " " + text),
        text.replace(fields["key"], fields["key"].upper()),
        text.replace('"ids":', '"ids":[],"ids":'),
    ):
        assert changed != text
        with pytest.raises((InputError, SignatureError)):
            read(changed)
        with pytest.raises((InputError, SignatureError)):
            read(changed.encode())
    with pytest.raises((InputError, SignatureError)):
        read(text.encode("utf-16"))


@pytest.mark.parametrize("name", sorted(ALWAYS | ONLY_SIGNED))
def test_no_field_of_a_receipt_can_be_another_or_missing(name: str, text: str) -> None:
    fields = json.loads(text)
    others = [fields["root_before"], fields["ids"][:1], fields["leaves"][:1], [], None, True, 1.0, {}, ""]

    for value in others:
        if value != fields[name] or type(value) is not type(fields[name]):
            with pytest.raises(SignatureError):
                read({**fields, name: value})
    del fields[name]
    with pytest.raises(SignatureError):
        read(fields)
    with pytest.raises(SignatureError):
        read({**json.loads(text), "more": 1})


def test_without_all_that_is_signed_a_receipt_is_one_that_is_not(text: str) -> None:
    kept = {name: value for name, value in json.loads(text).items() if name not in ONLY_SIGNED}

    assert read(kept) == read(text)._replace(signed=None)


NO_LEAVES: list[Any] = [
    *(None, {}, "", [3], [[]], [["0", 1]], [["0", 1, "5e" * 32, 1]], [["2", 1, "5e" * 32]]),
    *([["0", 0, "5e" * 32]], [["0", 257, "5e" * 32]], [["0", True, "5e" * 32]], [["0", 1.0, "5e" * 32]]),
    *([["0", 1, "5E" * 32]], [["0", 1, "5e" * 31]], [["0" * 129, 1, "5e" * 32]], [[0, 1, "5e" * 32]]),
    [["0", 1, "5e" * 32], ["1", 1, "5e" * 32]],  # no id is below the second
    *([["0", 1, "5e" * 32]] * 2, [["0", 1, "5e" * 32], ["00", 1, "5e" * 32]]),
    [["00", 1, "5e" * 32], ["0", 1, "5e" * 32]],
]
ODD: list[tuple[str, Any]] = [
    *(("leaves", one) for one in NO_LEAVES),
    *(("ids", one) for one in ([], "", ["00" * 16, "00" * 16], ["01" * 16, "00" * 16], ["00" * 15], [3])),
    *(
        ("time", one)
        for one in ("", "2026-11-27", "2026-11-27T14:31:00+01:00", "now", 3, "٢026-11-27T14:31:00Z")
    ),
    *(("root_after", one) for one in ("", "ab", "AB" * 32, 3, None)),
    *(("edge_icl_receipt", one) for one in (0, True, "1", 1.0, None, -1)),
]


@pytest.mark.parametrize(("name", "value"), ODD)
def test_what_is_no_receipt_is_none_however_well_it_is_signed(name: str, value: Any) -> None:
    after = manifest_of([bytes(16), b"\x01" * 16])
    fields = json.loads(receipts.sign(KEY, SETTINGS, [b"\x00" * 15 + b"\x01"], "bb" * 32, after))
    fields["leaves"] = [["0", 2, "5e" * 32]]
    assert read(resigned(fields)).ids

    with pytest.raises(SignatureError):
        read(resigned({**fields, name: value}))


def test_a_receipt_of_a_newer_version_is_named_as_one(text: str) -> None:
    with pytest.raises(InputError, match=r"a newer edge-icl has signed this receipt; update edge-icl"):
        read(resigned({**json.loads(text), "edge_icl_receipt": 2, "more": 1}))


EARLIER: list[dict[str, Any]] = [
    {"ids": ["0c" * 16], "root_after": "ab" * 32},
    {"forgotten": 1, "ids": ["0c" * 16], "root_before": "", "root_after": "", "refit": False, "seconds": 0.1},
    {
        "forgotten": 1,
        "ids": ["0c" * 16],
        "root_before": "cd" * 32,
        "root_after": "ab" * 32,
        "refit": True,
        "seconds": 1e-06,
        "similar_left": None,
        "store": "ef" * 32,
        "similar_error": "é\ud800",
    },
    {"changed": True, "id": "0d" * 16, "ids": ["0c" * 16], "root_after": "ab" * 32, "store": "ef" * 32},
    {
        "renamed": 1,
        "duplicates": 0,
        "ids": ["0c" * 16],
        "root_after": "ab" * 32,
        "look_alikes": [],
        "store": "",
    },
]


@pytest.mark.parametrize("fields", EARLIER)
def test_receipts_without_a_signature_are_read_in_every_form(fields: dict[str, Any]) -> None:
    for told in (
        fields,
        json.dumps(fields),
        json.dumps(fields, indent=2).encode(),
        json.dumps(fields) + "\r\n",
    ):
        assert read(told) == ((b"\x0c" * 16,), fields["root_after"], fields.get("store"), None)


@settings(deadline=None)
@given(
    st.binary(max_size=30)
    | st.text(max_size=30)
    | st.dictionaries(
        st.sampled_from(sorted(ONLY_SIGNED | ALWAYS)),
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3), st.lists, max_leaves=5),
    )
)
def test_of_anything_else_there_is_one_error(given: Any) -> None:
    for one in (given, json.dumps(given) if isinstance(given, dict) else given):
        with pytest.raises(EdgeIclError):
            read(one)


def test_the_receipt_that_the_format_shows_is_signed_as_it_says() -> None:
    page = (REPOSITORY / "docs" / "format.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    text = shown.replace("\n", "") + "\n"

    assert read(text).signed.key == KEY.public
    assert resigned(json.loads(text)) == text


# Compared with a store


def checked(store: Store, **how: Any) -> Verification:
    return verify(store.path, unlock=unlock, **how)


def unproven(store: Store, receipt: Any, **how: Any) -> list[str]:
    """Return what `verify` says of a receipt that does not hold."""
    found = checked(store, receipt=receipt, **how)
    assert {one.problem for one in found.differences} <= {Problem.UNPROVEN}
    return [one.detail for one in found.differences]


def test_who_signed_is_told_and_compared_with_who_must_have(tmp_path: Path, own_home: Path) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    text = forgotten(store, 3)

    found = checked(store, receipt=text, signed_by=KEY.public)
    assert found.ok
    assert found.signature is not None
    assert (found.signature.key, found.signature.own) == (KEY.public, False)
    assert found.as_json()["signed"] == {"key": KEY.public, "time": read(text).signed.time, "own": False}
    (own_home / signing.NAME).parent.mkdir(mode=0o700)
    (own_home / signing.NAME).write_bytes(KEY.encode())
    (own_home / signing.NAME).chmod(0o600)
    assert str(checked(store, receipt=text).signature).endswith(f", with the key of this home, {KEY.public}")

    assert unproven(store, text, signed_by=OTHER.public) == [
        f"signed with the key {KEY.public}, and not with {OTHER.public}"
    ]
    fields = {name: value for name, value in json.loads(text).items() if name not in ONLY_SIGNED}
    assert unproven(store, fields, signed_by=KEY.public) == ["not signed"]
    assert checked(store, receipt=fields).as_json()["signed"] is None
    for key in ("", KEY.public[:-1], KEY.public.upper(), "g" * 64):
        with pytest.raises(InputError, match="is not a public key"):
            checked(store, receipt=text, signed_by=key)


def test_a_changed_receipt_says_nothing_of_a_store(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    text = forgotten(store, 3)
    commit(store, added=rows([3]))

    found = checked(store, receipt=text.replace('"time":"2', '"time":"1'))

    assert found.differences == (
        Finding(Problem.UNPROVEN, "receipt", "not what was signed: it was changed since, or is not whole"),
    )
    assert (found.moved_on, found.same_store, found.signature) == (None, None, None)


@pytest.mark.usefixtures("kind")
def test_leaves_that_the_store_does_not_have_are_found_while_its_root_is_the_same(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(600)))
    fields = json.loads(forgotten(store, 3, 77))
    path, count, digest = fields["leaves"][0]
    lies = [
        *([], fields["leaves"][1:], [[path, count - 1, digest], *fields["leaves"][1:]]),
        [[path, count, digest[::-1]], *fields["leaves"][1:]],
        [[path[:-1], count, digest], *(one for one in fields["leaves"] if not one[0].startswith(path[:-1]))],
    ]
    for lie in lies:
        assert unproven(store, resigned({**fields, "leaves": lie})) == ["its leaves are not those of the store"]

    commit(store, added=rows([700]))
    assert checked(store, receipt=resigned({**fields, "leaves": lies[0]})).moved_on is True


def test_a_signed_receipt_finds_what_came_back_and_another_store(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    other = make(tmp_path / "other", [], settings=replace(SETTINGS, seed=bytes(32)))
    text = forgotten(store, 3)

    with pytest.raises(InputError, match="of another store"):
        checked(other, receipt=text)
    commit(store, added=rows([3]))
    found = checked(store, receipt=text)
    assert [(one.problem, one.path) for one in found.differences] == [(Problem.PRESENT, row(3).id.hex())]
    assert found.signature is not None


def test_a_receipt_of_a_store_without_examples_has_no_leaf(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    text = forgotten(store, *range(10))

    assert json.loads(text)["leaves"] == []
    assert checked(store, receipt=text).ok
