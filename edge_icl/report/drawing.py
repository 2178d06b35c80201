"""The map, the markers and the bars, as SVG: whole numbers, so that the same store gives the same bytes.

A label has a colour and a shape; the next has another colour and another shape, so that neither is needed to
tell labels apart. Its points are one path: a page of 10,000 points has as many shapes as it has labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge_icl.display.markup import Safe, element, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edge_icl.report.contents import Contents, Row

WIDTH = 10_000
"""How many units wide the map is; it is shown some 1,000 pixels wide at most."""

MARGIN = 520
LEAST_HEIGHT, MOST_HEIGHT = 5_000, 9_000
RADII = ((150, 105), (1500, 75), (5000, 48), (10_000, 38))
"""How large a point is, by how many there are at most."""

COLOURS = 8
OUTLINES = (
    "a{r} {r} 0 1 1 0 {R}a{r} {r} 0 1 1 0-{R}",
    "m-{s} {b}h{S}v{S}h-{S}z",
    "l{t} {u}h-{T}z",
    "l{r} {r}l-{r} {r}l-{r}-{r}z",
    "m-{t} {c}h{T}l-{t} {u}z",
    "m-{w} 0h{W}v{p}h{p}v{W}h-{p}v{p}h-{W}v-{p}h-{p}v-{W}h{p}z",
    "l{w} {q}l{q} {w}l-{q} {w}l-{w} {q}l-{w}-{q}l-{q}-{w}l{q}-{w}z",
    "m-{w} 0h{W}l{w} {r}l-{w} {r}h-{W}l-{w}-{r}z",
)
"""Shapes of about one size, each drawn from its top: circle, square, triangle, diamond, triangle upside down,
plus, star, hexagon."""

PLAIN = len(OUTLINES) * COLOURS
"""Labels that have a look of their own; those after them share one."""

LARGE, SMALL, SMALLEST = 430, 230, 155
"""Height of a label's name on a phone's map, on a wider one, and there where labels are MANY."""

MANY = 16

LONGEST_NAME = 26


class Look(NamedTuple):
    """How the examples of a label are drawn."""

    colour: str
    outline: int


def look(rank: int) -> Look:
    """Return how the examples of a label are drawn, given how many labels are more frequent."""
    if rank >= PLAIN:
        return Look("rest", 0)
    return Look(f"c{rank % COLOURS}", (rank + rank // COLOURS) % len(OUTLINES))


def shape(outline: int, x: int, y: int, radius: int) -> str:
    """Return a shape around a point, as data of a path."""
    r = radius
    sizes = {"r": r, "R": 2 * r, "s": r * 8 // 9, "S": r * 16 // 9, "b": r // 9, "t": r * 11 // 10}
    sizes |= {"T": 2 * sizes["t"], "u": r * 19 // 10, "c": r * 2 // 9, "w": r // 2, "W": 2 * (r // 2)}
    sizes |= {"p": r * 2 // 3, "q": r - r // 4}
    return f"M{x} {y - r}{OUTLINES[outline].format(**sizes)}"


def swatch(rank: int) -> Safe:
    """Return the marker of a label, for a legend."""
    colour, outline = look(rank)
    return Safe(
        f'<svg class="swatch {colour}" viewBox="0 0 240 240" aria-hidden="true">'
        f'<path d="{shape(outline, 120, 120, 95)}"/></svg>'
    )


def bar(count: int, most: int) -> Safe:
    """Return a bar for a count beside the greatest."""
    length = max(1, 1000 * count // most)
    return Safe(
        '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" width="1000" height="10"/><rect width="{length}" height="10"/></svg>'
    )


class Scale(NamedTuple):
    """From positions to units of the map.

    Attributes:
        left: the least x.
        top: the least y.
        span: what is MARGIN less than the width on either side, in positions.
        height: of the map, in units.
    """

    left: int
    top: int
    span: int
    height: int

    @classmethod
    def of(cls, positions: Sequence[tuple[int, int]]) -> Scale:
        """Return the scale in which all positions fit."""
        left, right = min(x for x, _ in positions), max(x for x, _ in positions)
        top, bottom = min(y for _, y in positions), max(y for _, y in positions)
        inside = WIDTH - 2 * MARGIN
        span = max(right - left, (bottom - top) * inside // (MOST_HEIGHT - 2 * MARGIN), 1)
        needed = (bottom - top) * inside // span + 2 * MARGIN
        height = max(needed, LEAST_HEIGHT)
        # What is narrower or lower than the map lies in its middle.
        left -= (span - (right - left)) // 2
        top -= (height - needed) * span // inside // 2
        return cls(left, top, span, height)

    def at(self, position: tuple[int, int]) -> tuple[int, int]:
        """Return a position in units."""
        inside = WIDTH - 2 * MARGIN
        return (
            MARGIN + (position[0] - self.left) * inside // self.span,
            MARGIN + (position[1] - self.top) * inside // self.span,
        )


def drawn(contents: Contents) -> tuple[Safe, Mapping[str, str]]:
    """Return the map, and for each example on it, by id, where it is: "x,y"."""
    mapped = [row for row in contents.rows if row.position is not None]
    scale = Scale.of([row.position for row in mapped if row.position is not None])
    places = {row.held.id: scale.at(row.position) for row in mapped if row.position is not None}
    radius = next(size for most, size in RADII if len(mapped) <= most)
    rank = {label: i for i, label in enumerate(contents.labels)}
    groups: dict[int, list[tuple[int, int]]] = {}
    for row in mapped:
        groups.setdefault(rank.get(row.held.output, 0), []).append(places[row.held.id])
    parts = [_points(i, some, radius) for i, some in sorted(groups.items())]
    parts += _marks(mapped, places, radius)
    parts += _names([*rank], groups, scale.height)
    told = (
        f"A map of {len(mapped):,} examples: those with like inputs lie near each other. All are listed below."
    )
    picture = element(
        "svg",
        *parts,
        Safe('<path id="hits"/><path id="here"/>'),
        id="map",
        class_="many" if len(rank) > MANY else None,
        viewBox=f"0 0 {WIDTH} {scale.height}",
        role="img",
        aria_label=told,
        data_radius=radius,
    )
    return picture, {id: f"{x},{y}" for id, (x, y) in places.items()}


def _points(rank: int, places: Iterable[tuple[int, int]], radius: int) -> Safe:
    """Return the points of a label."""
    colour, outline = look(rank)
    small = radius if colour != "rest" else radius * 3 // 4
    data = "".join(shape(outline, x, y, small) for x, y in places)
    return Safe(f'<path class="points {colour}" data-rank="{rank}" d="{data}"/>')


def _marks(rows: Sequence[Row], places: Mapping[str, tuple[int, int]], radius: int) -> list[Safe]:
    """Return what marks representatives and suspects."""
    shown = [places[row.held.id] for row in rows if row.representative]
    doubted = [places[row.held.id] for row in rows if row.suspect]
    rings = "".join(shape(0, x, y, radius * 9 // 5) for x, y in shown)
    boxes = "".join(shape(3, x, y, radius * 5 // 2) for x, y in doubted)
    return [Safe(f'<path class="doubted" d="{boxes}"/><path class="chosen" d="{rings}"/>')]


def _names(labels: Sequence[str], groups: Mapping[int, Sequence[tuple[int, int]]], height: int) -> list[Safe]:
    """Return the names of labels, each where its examples are, as far as there is room for them."""
    wanted = {}
    for rank, places in groups.items():
        if rank < len(labels):
            xs, ys = sorted(x for x, _ in places), sorted(y for _, y in places)
            x, y = xs[len(xs) // 2], ys[len(ys) // 2]
            name = labels[rank]
            wanted[rank] = (
                name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…",
                *min(places, key=lambda place: (place[0] - x) ** 2 + (place[1] - y) ** 2),
            )
    large = _with_room(wanted, [], LARGE, height)
    small = _with_room(wanted, large, SMALLEST if len(labels) > MANY else SMALL, height)
    return [
        joined(
            Safe(f'<text class="name{"" if rank in large else " wide"}" x="{wanted[rank][1]}" '),
            Safe(f'y="{wanted[rank][2]}" dy="-.7em" direction="ltr">'),
            wanted[rank][0],
            Safe("</text>"),
        )
        for rank in small
    ]


def _with_room(
    wanted: Mapping[int, tuple[str, int, int]], first: Sequence[int], size: int, height: int
) -> list[int]:
    """Return the ranks of names that do not overlap: those that come first, then the most frequent labels'."""
    taken: list[tuple[int, int, int, int]] = []
    found = []
    for rank in [*first, *(rank for rank in sorted(wanted) if rank not in first)]:
        name, x, y = wanted[rank]
        half = len(name) * size * 33 // 100
        box = (x - half, y - size * 16 // 10, x + half, y - size // 3)
        inside = box[0] >= 0 and box[2] <= WIDTH and box[1] >= 0 and box[3] <= height
        free = all(
            box[2] < other[0] or box[0] > other[2] or box[3] < other[1] or box[1] > other[3] for other in taken
        )
        if inside and free:
            taken.append(box)
            found.append(rank)
    return found
