"""Which stores can be merged: those with one seed, encoder and settings. For others, what is different.

With another seed the same example has another id, with another encoder its vector says something else, and
with other settings the bytes of a store of the same examples are others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.errors import InputError, PassphraseError, StoreDamagedError, StoreEncoderError, StoreError
from edge_icl.runtime.home import command_line, store_name
from edge_icl.store.manifest import AUTO

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edge_icl.store.disk import Store
    from edge_icl.store.manifest import LabelsSetting

_SAME = ("shots", "task", "iterations", "step", "dimension", "scale")
"""The settings that must be the same beside the seed and the encoder, of which the name does not matter."""


def refuse_unlike(store: Store, other: Store) -> None:
    """Refuse to bring the examples of another store into one.

    Args:
        store: the one that they would come to.
        other: the other one.

    Raises:
        InputError: they are one store, or were made with another seed or other settings.
        StoreEncoderError: they were made with different encoders.
    """
    here, there = store_name(store.path), store_name(other.path)
    if _is_same(store.path, other.path):
        raise InputError(f"the store {there} is the one that is merged into", "leave it out")
    if store.settings.seed != other.settings.seed:
        raise InputError(
            f"the store {there} has another seed than {here}, so that ids differ", _by_file(here, there)
        )
    if store.settings.encoder_digest != other.settings.encoder_digest:
        names = other.settings.encoder, store.settings.encoder
        which = (
            f"encoder {names[0]}, not {names[1]}" if names[0] != names[1] else "another encoder of that name"
        )
        again = command_line("reencode", "--encoder", names[1], "--into", "NEW", store=there)
        raise StoreEncoderError(
            f"the store {there} was made with {which} as {here}: vectors cannot be compared",
            f"make one with the same: `{again}`, and merge that",
        )
    for name in _SAME:
        mine, its = getattr(store.settings, name), getattr(other.settings, name)
        if mine != its:
            raise InputError(
                f"the store {there} was made with {name} {its or 'none'}, and {here} with {mine or 'none'}",
                _by_file(here, there),
            )


def refuse_in_the_clear(store: Store, other: Store) -> None:
    """Refuse to bring the examples of an encrypted store into a plain one.

    Raises:
        PassphraseError: they would come there.
    """
    if other.key is not None and store.key is None:
        here, there = store_name(store.path), store_name(other.path)
        make = command_line("init", "--like", there, store="NEW")
        raise PassphraseError(
            f"the store {there} is encrypted and {here} is not, where its examples would lie in the clear",
            f"merge both into an encrypted one: `{make}` makes it",
        )


def refuse_twice(stores: Iterable[Store]) -> None:
    """Refuse a store that is named twice.

    Raises:
        InputError: one is.
    """
    seen: list[Path] = []
    for one in stores:
        if any(_is_same(one.path, path) for path in seen):
            raise InputError(f"the store {store_name(one.path)} is named twice", "name it once")
        seen.append(one.path)


def merged_labels(settings: Iterable[tuple[Path, LabelsSetting]]) -> LabelsSetting:
    """Return the setting for labels of the union: that of the stores that have one, whatever their order.

    Args:
        settings: the path of each store and its setting.

    Raises:
        InputError: one store says that its outputs are labels, and another that they are not.
    """
    found: dict[LabelsSetting, Path] = {}
    for path, setting in settings:
        if setting != AUTO:
            found.setdefault(setting, path)
    if len(found) > 1:
        (first, path), (second, other) = found.items()
        name = store_name(other)
        say = command_line("labels", "--set", first, store=name)
        raise InputError(
            f"the store {store_name(path)} has the setting for labels {first}, and {name} has {second}",
            f"say the same in both, such as with `{say}`",
        )
    return next(iter(found), AUTO)


def about(path: Path, error: StoreError) -> StoreError:
    """Return an error that says which of several stores it is of."""
    name, hint = store_name(path), error.hint
    if isinstance(error, StoreDamagedError):
        hint = f"`{command_line('verify', store=name)}` shows what is damaged; restore it from a backup"
    if str(path) in error.message:
        return type(error)(error.message, hint)
    return type(error)(f"the store {name} cannot be merged: {error.message}", hint)


def _is_same(one: Path, other: Path) -> bool:
    """Tell whether two paths are one folder, also where the file system ignores upper and lower case."""
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


def _by_file(here: str, there: str) -> str:
    """Return how the examples of a store come to another one that it cannot be merged into."""
    out = command_line("export", "--vectors", "--file", "copy.jsonl", store=there)
    back = command_line("add", "--file", "copy.jsonl", store=here)
    make = command_line("init", "--like", here, store="NEW")
    return f"bring its examples by a file: `{out}` and `{back}`; `{make}` makes one that can be merged"
