"""Cases that `make test` leaves to the campaign, since others try the same in less."""

from collections.abc import Iterable

import pytest


def later(*values: object, id: str | None = None) -> object:
    """Return a case of `pytest.mark.parametrize` that a campaign alone tries."""
    return pytest.param(*values, id=id, marks=pytest.mark.campaign)


def some(cases: Iterable[str], *kept: str) -> list[object]:
    """Return the cases of `pytest.mark.parametrize`, of which `make test` tries these and a campaign all."""
    return [case if case in kept else later(case) for case in cases]
