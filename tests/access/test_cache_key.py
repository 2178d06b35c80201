"""A state in a store's cache is used only if this home put it in, whatever others write there."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command import EXAMPLES, run
from stores import HOME_KEY, check, commit, make, row, rows, tree

from edge_icl import Example, Memory, Options
from edge_icl.access import cache_key
from edge_icl.access.cache_key import NAME, home_key
from edge_icl.access.paths import locate
from edge_icl.answer import calibration
from edge_icl.store.findings import Problem
from edge_icl.store.prefix_cache import LARGEST, PrefixCache

SEED = bytes(32)
QUESTION, OPTIONS = "Taxi downtown", Options(labels="on", select="erase")
OTHER_KEY = bytes(range(1, 33))
"""The key of another user's home."""

OUTPUTS = {"travel": "food", "food": "office", "office": "travel"}
"""What the examples of the forged state say instead; as long, in tokens."""


def teach(name: str, examples: list[Example]) -> Path:
    with Memory.create(name, seed=SEED, shots=8) as memory:
        memory.add_many(examples)
    return locate(name)


def asked(path: Path) -> dict[str, float]:
    with Memory.open(path) as memory:
        return dict(memory.ask(QUESTION, OPTIONS).labels)


def entries(path: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in (path / "cache").iterdir()}


def state_of(path: Path) -> tuple[str, bytes]:
    """Return name and content of the state in a cache, the longest entry."""
    return max(entries(path).items(), key=lambda entry: len(entry[1]))


def signed(key: bytes) -> Callable[[str, bytes], bytes]:
    """Return what puts a tag before a state as a home with this key does, and behind it that of the store."""

    def sign(name: str, state: bytes) -> bytes:
        tag = hashlib.blake2b(f"entry {name} ".encode() + state, digest_size=32, key=key).digest()
        return tag + hashlib.blake2b(name.encode() + tag, digest_size=32, key=SEED).digest() + state

    return sign


def stamped(name: str, state: bytes) -> bytes:
    """Put before a state what versions without a home's key trusted: every program that has the store can."""
    return hashlib.blake2b(name.encode() + state, digest_size=32, key=SEED).digest() + state


def renamed(name: str, key: bytes) -> str:
    """Return what an entry is called in a home with another key."""
    group, _, rest = name.split("-")
    mark = hashlib.blake2b(f"mark {group}".encode(), digest_size=8, key=key).hexdigest()
    return f"{group}-{mark}-{rest}"


@pytest.mark.usefixtures("models_home")
def test_a_state_of_other_examples_decides_no_answer() -> None:
    store = teach("honest", [*EXAMPLES])
    right = asked(store)
    other = teach("other", [one.changed(output=OUTPUTS[one.output]) for one in EXAMPLES])
    assert asked(other) != right
    name, honest = state_of(store)
    forged = state_of(other)[1]
    assert len(forged) == len(honest)  # llama.cpp would take it

    for sign in (stamped, signed(OTHER_KEY), signed(bytes(32))):
        (store / "cache" / name).write_bytes(sign(name, forged[64:]))

        assert asked(store) == right
        assert state_of(store) == (name, honest)
        assert run("verify", "--store", str(store)).code == 0


@pytest.mark.usefixtures("models_home")
def test_a_state_of_another_home_is_named_by_verify_and_wiped() -> None:
    store = teach("honest", [*EXAMPLES])
    asked(store)
    held = entries(store)
    foreign = {renamed(name, OTHER_KEY): data for name, data in held.items()} | {"x" * 250: b"x"}
    prefix = next(iter(held)).split("-")[0]
    foreign |= {f"{prefix}-{'0' * 32}": b"as versions before named it"}
    for name, data in foreign.items():
        (store / "cache" / name).write_bytes(data)

    found = run("verify", "--store", str(store))

    assert found.code == 3
    assert sorted(line.split(":")[0] for line in found.out.splitlines()) == sorted(
        f"cache/{n}" for n in foreign
    )
    assert "foreign" in found.out
    assert "it is wiped now" in found.out
    assert entries(store) == held
    assert run("verify", "--store", str(store)).code == 0


@pytest.mark.usefixtures("models_home")
def test_two_homes_that_use_one_store_in_turn_get_the_same_answers(
    models_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = teach(str(models_home.parent / "shared"), [*EXAMPLES])
    right = asked(store)
    first = entries(store)
    second_home = models_home.with_name("second")
    second_home.mkdir(mode=0o700)
    shutil.copytree(models_home / "models", second_home / "models", copy_function=os.link)

    monkeypatch.setenv("EDGE_ICL_HOME", str(second_home))
    assert asked(store) == right
    second = entries(store)
    monkeypatch.setenv("EDGE_ICL_HOME", str(models_home))
    assert asked(store) == right

    assert not set(first) & set(second)
    assert entries(store) == first  # the same home, the same set: the same bytes


@pytest.mark.usefixtures("models_home")
def test_without_a_key_of_this_home_nothing_is_kept_and_questions_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = teach("honest", [*EXAMPLES])
    right = asked(store)
    held = tree(store)
    monkeypatch.setattr(cache_key, "home", lambda: Path(os.devnull) / "home")

    assert asked(store) == right
    assert tree(store) == held  # not read either, as the next test says
    found = run("verify", "--store", str(store))
    assert found.code == 3
    assert found.out.count("foreign") == len(entries_of(held))
    assert run("verify", "--deep", "--store", str(store)).code == 0
    assert asked(store) == right
    assert entries(store) == {}


def entries_of(held: dict[str, bytes]) -> list[str]:
    return [name for name in held if name.startswith("cache/") and name != "cache/"]


def test_what_is_kept_without_a_key_is_nothing(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(9)))
    PrefixCache(store, store.snapshot(), HOME_KEY).put("name", b"state")
    without = PrefixCache(store, store.snapshot(), None)

    without.put("other", b"state")

    assert without.get("name") is None
    assert len(entries(store.path)) == 1
    assert [found.problem for found in check(store.path, home_key=None).differences] == [Problem.FOREIGN]
    assert entries(store.path) == {}


def test_an_entry_that_no_state_can_be_is_not_read(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(9)))
    cache = PrefixCache(store, store.snapshot(), HOME_KEY)
    cache.put("name", b"state")
    (entry,) = (store.path / "cache").iterdir()
    with entry.open("r+b") as file:
        file.truncate(LARGEST + 1)

    assert cache.get("name") is None


def test_an_entry_with_the_longest_name_stops_no_forget(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(9)))
    (store.path / "cache" / ("x" * 255)).write_bytes(b"state")

    commit(store, removed=[row(3).id])

    assert entries(store.path) == {}


def test_the_key_is_made_once_and_for_this_user_alone(own_home: Path) -> None:
    assert home_key() is None
    assert not own_home.exists()

    key = home_key(make=True)

    assert key is not None
    assert len(key) == 32
    assert (home_key(), home_key(make=True)) == (key, key)
    assert stat.S_IMODE((own_home / NAME).stat().st_mode) == 0o600
    assert [path.name for path in own_home.iterdir()] == [NAME]


def test_a_home_that_is_reached_by_a_link_has_a_key(own_home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    own_home.symlink_to(tmp_path / "elsewhere")

    assert home_key(make=True) == (tmp_path / "elsewhere" / NAME).read_bytes()


def test_processes_that_need_the_key_at_once_get_the_same(own_home: Path) -> None:
    script = (
        "import sys; from edge_icl.access.cache_key import home_key as key; sys.stdin.read(); "
        "print(key(make=True).hex())"
    )
    children = [
        subprocess.Popen([sys.executable, "-P", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(6)
    ]
    for child in children:
        child.stdin.close()
    found = {child.stdout.read() for child in children}
    for child in children:
        child.stdout.close()
        child.wait()

    assert found == {f"{home_key().hex()}\n".encode()}
    assert [path.name for path in own_home.iterdir()] == [NAME]


@pytest.mark.parametrize("spoil", ["shared", "short", "empty", "link", "fifo"])
def test_a_key_that_others_may_know_or_that_is_none_is_replaced(own_home: Path, spoil: str) -> None:
    own_home.mkdir(mode=0o700)
    path = own_home / NAME
    if spoil == "fifo":
        os.mkfifo(path)
    elif spoil == "link":
        (own_home / "other").write_bytes(bytes(32))
        path.symlink_to("other")
    else:
        path.write_bytes(bytes({"short": 31, "empty": 0}.get(spoil, 32)))
        path.chmod(0o644 if spoil == "shared" else 0o600)

    assert home_key() is None
    key = home_key(make=True)

    assert key not in (None, bytes(32))
    assert home_key() == key


def test_a_home_that_others_may_write_to_has_no_key(own_home: Path) -> None:
    own_home.mkdir(mode=0o700)
    home_key(make=True)
    own_home.chmod(0o777)

    assert home_key(make=True) is None


NO_SCORES = (
    *("", "null", "[]", "1", "NaN", '{"a":NaN}', '{"a":-Infinity}', '{"a":-1e999}', '{"a":1}', '{"a":true}'),
    *('{"a":"1"}', '{"a":2.0}', '{"a":null}', '{"a":[-1.0]}', '{"a":-1.0,"a":-2.0}', "[" * 100_000, "9" * 5000),
    '{"a":' * 100_000,
)


@pytest.mark.parametrize("text", [*map(str.encode, NO_SCORES), b"\xff", '{"a":-1.0}'.encode("utf-16")])
def test_scores_that_are_none_are_computed_again(text: bytes) -> None:
    assert calibration.decode(text) == {}
    assert calibration.decode(calibration.encode({"a": -1.5, "b": -1e-300})) == {"a": -1.5, "b": -1e-300}
