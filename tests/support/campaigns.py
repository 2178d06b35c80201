"""Cases that `make test` leaves to the campaign, since others try the same in less."""

import pytest


def later(*values: object, id: str | None = None) -> object:
    """Return a case of `pytest.mark.parametrize` that a campaign alone tries."""
    return pytest.param(*values, id=id, marks=pytest.mark.campaign)
