"""What changes that were cut off left in stores: `edge-icl doctor` wipes what it can, and tells the rest."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from edge_icl.access.passphrases import unlocking
from edge_icl.access.paths import locate
from edge_icl.cli import passphrases
from edge_icl.cli.checks import Check, Level, folders_in
from edge_icl.cli.output import PROGRAM
from edge_icl.errors import NotInstalledError, PassphraseError, StoreError
from edge_icl.runtime.home import home, stores_folder
from edge_icl.store.disk import Store
from edge_icl.store.recovery import at_rest, unfinished
from edge_icl.store.whole import left_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_icl.cli.session import Session

NAME = "stores"


def look(session: Session) -> Iterator[Check]:
    """Open every store of this user, and the one that is named; the user is not asked for a passphrase."""
    paths = dict.fromkeys([*folders_in(home() / "stores"), locate(session.store)])
    given = session.given or passphrases.variable()
    found = [check for path in paths if not at_rest(path) for check in _store(path, given)]
    for path in left_in(stores_folder()):
        detail = f"{path} is what a removal of a store left that was cut off"
        found.append(Check(NAME, Level.PROBLEM, detail, f"wipe it: {PROGRAM} stores list"))
    if all(check.level is Level.OK for check in found):
        yield Check(NAME, Level.OK, "no change is unfinished")
    yield from found


def _store(path: Path, given: str | bytes | None) -> Iterator[Check]:
    """Open one store; what else may be wrong with it is for `verify`."""
    remedy = shlex.join([PROGRAM, "--store", str(path), "status"])
    try:
        store = Store.open(path, unlock=unlocking(given))
        left = unfinished(store)
    except (PassphraseError, NotInstalledError):
        detail = f"{path} is encrypted, and may hold what a change left that was cut off"
        yield Check(NAME, Level.NOTE, detail, f"open it, which wipes that: {remedy}")
    except StoreError:
        return
    else:
        if left:
            yield Check(NAME, Level.PROBLEM, f"{path}: {left}", f"mend that, then: {remedy}")
        elif store.wiped:
            yield Check(NAME, Level.OK, f"{path}: what a change left that was cut off is wiped now")
