"""All of it as one HTML file: nothing in it has an address outside, and nothing runs but the one script.

    >>> report(opened, progress).html

A function of the store, and of its name: no date, and a path only in the commands for a store that is not in
the home. What is said of labels comes from `check`, whose last digits may depend on the kind of processor; all
else is the same on every machine.
"""

from __future__ import annotations

import shlex
from itertools import groupby
from typing import TYPE_CHECKING

from edge_icl.display.markup import Safe, alone, element, joined, policy, spoken
from edge_icl.report.contents import gather
from edge_icl.report.drawing import bar, drawn, shape, swatch
from edge_icl.report.remarks import clipped, remarks
from edge_icl.report.script import SCRIPT
from edge_icl.report.style import STYLE
from edge_icl.results import Report
from edge_icl.runtime.home import store_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from edge_icl.answer.open_store import OpenStore
    from edge_icl.report.contents import Contents, Row
    from edge_icl.runtime.progress import Progress

LONG = 400
"""A text with more characters is cut, and opens with a click."""

COMPARED = 10


def report(opened: OpenStore, progress: Progress) -> Report:
    """Return the page of an open store; see `Memory.report`."""
    contents = gather(opened, progress)
    check = contents.check
    return Report(
        html=page(contents, _command(opened.store.path)),
        root=contents.root,
        examples=check.examples,
        mapped=contents.mapped,
        suspects=check.suspected,
        contradictions=len(check.contradictions),
        duplicates=len(check.duplicates),
    )


def _command(path: Path) -> str:
    """Return how a command on a store begins; it names the store, whatever $EDGE_ICL_STORE says later."""
    return shlex.join(["edge-icl", "--store", store_name(path)])


def page(contents: Contents, command: str) -> str:
    """Return the page.

    Args:
        contents: what it tells.
        command: how a command on this store begins.
    """
    picture, places = drawn(contents)
    short = {row.held.id: row.short for row in contents.rows}
    head = element(
        "head",
        alone("meta", charset="utf-8"),
        Safe(f'<meta http-equiv="Content-Security-Policy" content="{policy(STYLE, SCRIPT)}">'),
        Safe('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Safe('<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'),
        element("title", f"{contents.name} - edge-icl"),
        element("style", Safe(STYLE)),
    )
    body = element(
        "body",
        _header(contents, command),
        element(
            "main",
            _map(contents, picture),
            remarks(contents.check, short, command),
            _examples(contents, places),
        ),
        _footer(contents),
        element("script", Safe(SCRIPT)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, Safe(chr(10)), body, lang='en')}\n"


def _header(contents: Contents, command: str) -> Safe:
    """Return what the store is, in figures, and what this page is."""
    check = contents.check
    figures = [("example" if check.examples == 1 else "examples", f"{check.examples:,}")]
    if contents.labels:
        figures.append(("label" if len(contents.labels) == 1 else "labels", f"{len(contents.labels):,}"))
    if check.interval is not None:
        low, high = (f"{100 * end:.0f}" for end in check.interval)
        right = 100 * check.right / check.tested
        figures.append((f"right when left out (95 % interval {low} to {high})", f"{right:.1f} %"))
    if check.suspected:
        figures.append(("possibly mislabelled", f"{check.suspected:,}"))
    sealed = " The store is encrypted; this page is not." if contents.encrypted else ""
    return element(
        "header",
        element("p", "edge-icl memory", class_="over"),
        spoken(contents.name, name="h1"),
        element("p", f"The outputs are {check.labelling}.", class_="quiet"),
        element(
            "dl",
            *(element("div", element("dt", name), element("dd", value)) for name, value in figures),
            class_="figures",
        ),
        element(
            "p",
            element("strong", "This page is a copy outside the store."),
            f"{sealed} It holds every example, also those that you forget later: ",
            element("code", f"{command} forget"),
            " does not know of it. Delete it when you have read it.",
            class_="copy",
            role="note",
        ),
    )


def _map(contents: Contents, picture: Safe) -> Safe:
    """Return the map, with its legend, and the labels with their counts."""
    labels = contents.labels
    sampled = f" A random sample of {contents.mapped:,}." if contents.mapped < len(contents.rows) else ""
    figure = element(
        "figure",
        picture,
        element("div", element("b", dir="auto", lang=""), spoken("", name="span"), id="tip", hidden=True),
        element("figcaption", *_legend(contents), class_="small quiet"),
        class_="card",
    )
    side = element("div", _labels(contents), class_="side card", tabindex=0, role="group", aria_label="Labels")
    hint = " Point at one to read it; click to find it below. With the keyboard: arrows, then Enter."
    return element(
        "section",
        element("h2", "The map"),
        element(
            "p",
            f"Examples whose inputs say like things lie near each other.{sampled}{hint}",
            class_="quiet small lead",
        ),
        element("div", figure, side if labels else "", class_="pair" if labels else "pair one"),
        aria_label="The map",
    )


def _legend(contents: Contents) -> Iterator[Safe]:
    """Yield what the marks on the map mean."""
    mark = '<svg class="key" viewBox="0 0 300 300" aria-hidden="true"><path class="{}" d="{}"/></svg>'
    if any(row.representative for row in contents.rows):
        ring = Safe(mark.format("chosen", shape(0, 150, 150, 110)))
        yield element("span", ring, "representative: stands for a group of like examples")
    if contents.check.suspects:
        box = Safe(mark.format("doubted", shape(3, 150, 150, 125)))
        yield element("span", box, "possibly mislabelled")


def _labels(contents: Contents) -> Safe:
    """Return the labels, with their markers, counts and how often they are right."""
    most = max(contents.counts.values())
    right = {one.label: one for one in contents.check.labels}
    items = []
    for rank, (label, count) in enumerate(contents.counts.items()):
        fared = right.get(label)
        told = "" if fared is None else f"{100 * fared.right / fared.count:.0f} % right"
        items.append(
            element(
                "li",
                element(
                    "button",
                    swatch(rank),
                    element("span", *_breakable(clipped(label, LONG)), class_="word", dir="auto", lang=""),
                    element("span", f"{count:,}", class_="count"),
                    bar(count, most),
                    element("span", told, class_="right"),
                    type="button",
                    disabled=True,
                    data_rank=rank,
                ),
            )
        )
    return element("ul", *items, class_="labels")


def _breakable(label: str) -> Iterator[str]:
    """Yield a label with places where it may go on in the next line."""
    for i, part in enumerate(label.split("_")):
        if i:
            yield Safe("_<wbr>")
        yield part


def _examples(contents: Contents, places: Mapping[str, str]) -> Safe:
    """Return all examples, with the field that searches them."""
    find = element(
        "div",
        Safe(
            '<input id="q" type="search" aria-label="Search the examples" autocomplete="off" '
            'spellcheck="false" '
            'placeholder="Search: words of the input, the output, a tag, a source, an id  ( / )">'
        ),
        element("output", id="found", class_="quiet", aria_live="polite"),
        class_="find",
        hidden=True,
    )
    grouped = bool(contents.labels)
    rank = {label: i for i, label in enumerate(contents.labels)}
    groups = [
        _group([*rows], rank.get(output, 0) if grouped else None, places)
        for output, rows in groupby(contents.rows, lambda row: row.held.output if grouped else "")
    ]
    return element(
        "section",
        element("h2", "All examples"),
        find,
        element("p", "Nothing holds these words.", id="none", class_="quiet", hidden=True),
        *groups,
        aria_label="All examples",
    )


def _group(rows: Sequence[Row], rank: int | None, places: Mapping[str, str]) -> Safe:
    """Return the examples of a label, or all where the outputs are free text."""
    output = rows[0].held.output if rank is not None else ""
    listed = element("ol", *(_row(row, places, given=rank is None) for row in rows), class_="rows card")
    if rank is None:
        return element("div", listed, class_="group", data_output="")
    title = element("h3", swatch(rank), spoken(output), element("span", f"{len(rows):,}", class_="count"))
    return element("div", title, listed, class_="group", data_output=output, data_rank=rank)


def _row(row: Row, places: Mapping[str, str], *, given: bool) -> Safe:
    """Return an example; with its output where that is not above it."""
    about: list[Safe] = []
    if row.representative:
        about.append(element("span", "representative", class_="mark"))
    if row.suspect:
        about.append(element("span", "mislabelled?", class_="mark bad"))
    about += [spoken(tag, class_="tag") for tag in row.held.tags]
    if row.held.source is not None:
        about.append(spoken(row.held.source))
    about.append(element("span", row.short, class_="id"))
    return element(
        "li",
        _said(row.held.input, "said"),
        _said(row.held.output, "said gives") if given else "",
        element("div", *about, class_="about"),
        data_p=places.get(row.held.id),
    )


def _said(text: str, class_: str) -> Safe:
    """Return what an example says; the rest of a long text opens with a click."""
    if len(text) <= LONG:
        return spoken(text, name="p", class_=class_)
    summary = element("summary", spoken(clipped(text), class_="said"), f" ({len(text):,} characters)")
    return element("details", summary, spoken(text, name="p", class_="said"), class_=f"long {class_}")


def _footer(contents: Contents) -> Safe:
    """Return how the map was made, and what names the store's content."""
    layout = contents.layout
    nearest = min(COMPARED, contents.mapped - 1)
    method = joined(
        "The map draws each example to those with the most similar vectors and pushes it away from others "
        "(neighbour embedding with the forces of UMAP, McInnes, Healy and Melville 2018), from the plane in "
        f"which vectors differ most (principal components: {layout.share:.0%} of the variance). It is computed "
        "in whole numbers without chance: the same store has the same map on every machine. "
    )
    told = (
        f"Of the {nearest} examples most similar to an example, {layout.kept:.0%} are also among the {nearest} "
        "nearest to it on the map; distances between far points say little."
        if nearest > 1
        else ""
    )
    facts = f"Encoder {contents.encoder}. Root {contents.root}, which names the content of the store."
    return element("footer", element("p", method, told), element("p", facts))
