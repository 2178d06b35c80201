"""What the main paths cost is what is recorded (see `recorded_costs`): a guard that no busy machine disturbs.

More has to be explained. Less has to be recorded, or it hides what is lost later. With another Python or numpy
than the record's, instructions are only held to `ELSEWHERE`.
"""

from __future__ import annotations

import pytest
import recorded_costs
from campaigns import later
from own_core import own_core
from paths import SIZES, YARDSTICK
from recorded_costs import INSTRUCTIONS, LONG, TOLERANCE, Counts, Record

ELSEWHERE = 0.3
"""How much more than recorded is let pass with another Python or numpy: twice the most that was seen, 15 % with
Python 3.12. Another build of 3.11 took up to 9 % less, and growth with the store differed by 6 % at most."""

RECORD = Record.read()
PATHS = sorted(RECORD.paths.keys() - {YARDSTICK})
SMALL, LARGE = (f"{size:,}" for size in SIZES)


@pytest.fixture(scope="module")
def counted(campaign: bool) -> Counts:
    with own_core():  # it uses one; another process of pytest may be at work on the other
        return recorded_costs.count(large=campaign)


@pytest.fixture(scope="module")
def instructions(counted: Counts) -> dict[str, int]:
    """Path -> instructions."""
    if not recorded_costs.has_valgrind():
        pytest.skip("instructions are counted with valgrind, which is not installed: apt install valgrind")
    return {name: found[INSTRUCTIONS] for name, found in counted.items() if INSTRUCTIONS in found}


@pytest.fixture(scope="module")
def at_home(instructions: dict[str, int], counted: Counts) -> bool:
    """Whether the record is of such a machine, Python and numpy."""
    return RECORD.is_of(recorded_costs.here(), counted)


def test_every_path_is_recorded(counted: Counts, instructions: dict[str, int], campaign: bool) -> None:
    left = set() if campaign else LONG
    assert counted.keys() == RECORD.paths.keys() - left, "record it: make counts"


@pytest.mark.parametrize("name", [name for name in PATHS if RECORD.paths[name].keys() > {INSTRUCTIONS}])
def test_a_path_asks_of_the_file_system_what_is_recorded(name: str, counted: Counts) -> None:
    found, recorded = counted[name], RECORD.paths[name]
    for what in sorted((found.keys() | recorded.keys()) - {INSTRUCTIONS}):
        compare(name, what, found.get(what, 0), recorded.get(what, 0))


# Some instructions are counted in a campaign; what paths ask of files, in every run.
@pytest.mark.parametrize("name", [later(name) if LARGE in name or name in LONG else name for name in PATHS])
def test_a_path_takes_the_instructions_that_are_recorded(
    name: str, instructions: dict[str, int], at_home: bool
) -> None:
    found, recorded = instructions[name], RECORD.paths[name][INSTRUCTIONS]
    if at_home:
        compare(name, INSTRUCTIONS, found, recorded, more=TOLERANCE, less=TOLERANCE)
    elif recorded_costs.here().machine == RECORD.where.machine:
        compare(name, INSTRUCTIONS, found, recorded, more=ELSEWHERE, less=1)
    else:
        pytest.skip(f"recorded on {RECORD.where.machine}, and here is {recorded_costs.here().machine}")


@pytest.mark.campaign
@pytest.mark.parametrize("large", [name for name in PATHS if LARGE in name])
def test_a_path_grows_with_the_store_as_recorded(large: str, instructions: dict[str, int]) -> None:
    small = large.replace(LARGE, SMALL)
    found = instructions[large] / instructions[small]
    recorded = RECORD.paths[large][INSTRUCTIONS] / RECORD.paths[small][INSTRUCTIONS]

    assert found <= (1 + ELSEWHERE) * recorded, f"{large}: {found:.2f} times {small}, {recorded:.2f} recorded"


def test_the_record_is_of_this_python(at_home: bool) -> None:
    if not at_home:
        here = ", ".join(f"{name} {value}" for name, value in recorded_costs.here()._asdict().items())
        pytest.skip(
            f"another Python or numpy than the record's, or another build: {ELSEWHERE:.0%} more pass ({here})"
        )


def compare(name: str, what: str, found: int, recorded: int, *, more: float = 0, less: float = 0) -> None:
    """Fail with a sentence if a number is too far from what is recorded."""
    if (1 - less) * recorded <= found <= (1 + more) * recorded:
        return
    share = f" ({found / recorded - 1:+.1%})" if recorded else ""
    advice = "find what costs it, or record it" if found > recorded else "record it, so that it stays"
    pytest.fail(
        f"{name}: {found:,} {what}, {recorded:,} recorded{share}: {advice}: make counts{others()}",
        pytrace=False,
    )


def others() -> str:
    """Return which packages are not those that were recorded."""
    differing = [
        f"{name} {version} ({RECORD.packages.get(name)} recorded)"
        for name, version in recorded_costs.versions().items()
        if version != RECORD.packages.get(name)
    ]
    return f" (it may be due to {', '.join(differing)})" if differing else ""
