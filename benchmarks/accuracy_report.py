"""What `accuracy.py` found: tables, JSON and a plot. How often answers are right, and their calibration.

    pip install -r benchmarks/requirements.txt
    python benchmarks/accuracy_report.py FILE... [--json summary.json] [--plot curves.svg]

Intervals are 95 % bootstrap intervals, over questions; of the means over tasks, over tasks.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import MOST_OF_A_TASK, SHOTS, SIZES
from support.common import interval, show

Key = tuple[str, int, str]
"""Data set, number of examples (0 is all), method."""

METHODS = (
    "default",
    "regression",
    "regression, 5 shards",
    "regression, 20 shards",
    "vote of 8",
    "erase",
    "hybrid",
    "nearest",
    "random",
    "auto-cot",
    "none",
)
PLOTTED = ("default", "regression", "vote of 8", "hybrid", "erase")


class Results:
    """Answers by data set, number of examples and method; each by its draw and question."""

    def __init__(self, paths: list[Path]) -> None:
        self.rows: dict[Key, dict[tuple[int, int], dict[str, Any]]] = {}
        for path in paths:
            for row in map(json.loads, path.read_text().splitlines()):
                name, size, method, draw, question = row["key"]
                self.rows.setdefault((name, size, method), {})[draw, question] = row

    def sets(self, *, tasks: bool) -> list[str]:
        """Return the names of the BIG-bench tasks, or of the other sets; not those of the part `shots`."""
        names = {name for name, _, _ in self.rows if "@" not in name}
        return sorted(name for name in names if name.startswith("bbii/") == tasks)

    def methods(self, names: list[str]) -> list[str]:
        held = {method for name, _, method in self.rows if name in names}
        return [method for method in METHODS if method in held]

    def fields(self, key: Key) -> dict[str, Any] | None:
        return summarise(list(self.rows[key].values())) if key in self.rows else None

    def beside(self, key: Key, other: str) -> float | None:
        """Return how often another method, which was asked more, is right on the questions of this one."""
        answers, asked = self.rows.get((*key[:2], other), {}), self.rows.get(key, {})
        if not asked or not asked.keys() < answers.keys():
            return None
        return float(np.mean([answers[one]["right"] for one in asked]))


def calibration_error(rows: list[dict[str, Any]], bins: int = 10) -> float | None:
    """Return the expected calibration error (Guo et al., ICML 2017): bins of equal width."""
    if any(row["share"] is None for row in rows):
        return None
    shares, right = np.array([row["share"] for row in rows]), np.array([row["right"] for row in rows], float)
    place = np.minimum((shares * bins).astype(int), bins - 1)
    return float(sum(abs((shares - right)[place == b].sum()) for b in range(bins)) / len(rows))


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    hits = [float(row["right"]) for row in rows]
    return {
        "questions": len(rows),
        "accuracy": round(float(np.mean(hits)), 4),
        "interval": [round(x, 4) for x in interval(hits, np.mean)],
        "calibration_error": None if (error := calibration_error(rows)) is None else round(error, 4),
        "seconds": round(float(np.median([row["seconds"] for row in rows])), 4),
    }


def curves(name: str, results: Results) -> None:
    header = ("method", *map(str, SIZES[:-1]), "all")
    exact, calibrated, timed, beside = [], [], [], []
    for method in results.methods([name]):
        found = [results.fields((name, size, method)) for size in SIZES]
        exact.append((method, *map(accuracy, found)))
        calibrated.append((method, *(f"{one['calibration_error']:.2f}" if one else "" for one in found)))
        timed.append((method, *(f"{one['seconds']:.3f}" if one else "" for one in found)))
        same = [results.beside((name, size, method), "default") for size in SIZES]
        if any(share is not None for share in same):
            beside.append((method, *("" if share is None else f"{share:.1%}" for share in same)))
    show(f"{name}: accuracy (95 % interval; questions)", exact, header)
    show(f"{name}: accuracy of the default on the questions of a method that was asked fewer", beside, header)
    show(f"{name}: expected calibration error", calibrated, header)
    show(f"{name}: seconds a question, median", timed, header)


def accuracy(fields: dict[str, Any] | None) -> str:
    if fields is None:
        return ""
    low, high = fields["interval"]
    return f"{fields['accuracy']:.1%} ({low:.1%} to {high:.1%}; {fields['questions']})"


def tasks(results: Results) -> None:
    """Show each task and the means; and between two selections the mean difference, task by task."""
    names = results.sets(tasks=True)
    ways = results.methods(names)
    table = {way: [results.fields((name, MOST_OF_A_TASK, way)) for name in names] for way in ways}
    rows = [
        (name[5:], *(f"{one['accuracy']:.1%}" if (one := table[way][i]) else "" for way in ways))
        for i, name in enumerate(names)
    ]
    whole = [way for way in ways if None not in table[way]]
    shares = {way: [one["accuracy"] for one in table[way] if one] for way in whole}
    means = ("mean", *(f"{np.mean(shares[way]):.1%}" if way in whole else "" for way in ways))
    show("BIG-bench tasks: accuracy", [*rows, means], ("task", *ways))
    differences = []
    for other in (way for way in ("auto-cot", "random") if {way, "erase"} <= set(whole)):
        apart = [100 * (a - b) for a, b in zip(shares["erase"], shares[other], strict=True)]
        low, high = interval(apart, np.mean)
        differences.append((f"erase - {other}", f"{np.mean(apart):+.1f} ({low:+.1f} to {high:+.1f})"))
    show("BIG-bench tasks: points between selections, mean over tasks", differences, ("difference", "points"))


def by_shots(results: Results) -> None:
    names = list(dict.fromkeys(name.split("@")[0] for name, _, _ in results.rows if "@" in name))
    for name in names:
        rows = []
        for method in results.methods([f"{name}@{shots}" for shots in SHOTS]):
            found = [results.fields((f"{name}@{shots}", MOST_OF_A_TASK, method)) for shots in SHOTS]
            rows.append((method, *map(accuracy, found)))
        show(f"{name}: accuracy by shots (95 % interval; questions)", rows, ("selection", *map(str, SHOTS)))


def plot(results: Results, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "edge-icl", "font.size": 9})
    from matplotlib import pyplot as plt

    names = results.sets(tasks=False)
    figure, panels = plt.subplots(1, len(names), figsize=(4.2 * len(names), 3.2), squeeze=False)
    places = range(len(SIZES))
    for panel, name in zip(panels[0], names, strict=True):
        for method in (one for one in PLOTTED if one in results.methods([name])):
            found = [results.fields((name, size, method)) for size in SIZES]
            drawn = [(i, 100 * one["accuracy"]) for i, one in zip(places, found, strict=True) if one]
            panel.plot(*zip(*drawn, strict=True), marker="o", markersize=3, label=method)
        panel.set(title=name, xlabel="examples", ylabel="accuracy, %")
        panel.set_xticks(places, [*map(str, SIZES[:-1]), "all"])
        panel.grid(alpha=0.3)
    panels[0][-1].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    results = Results(given.paths)
    for name in results.sets(tasks=False):
        curves(name, results)
    if results.sets(tasks=True):
        tasks(results)
    by_shots(results)
    if given.json:
        rows = [{"set": n, "examples": s, "method": m, **results.fields((n, s, m))} for n, s, m in results.rows]
        given.json.write_text(json.dumps(rows, indent=1) + "\n")
    if given.plot:
        plot(results, given.plot)


if __name__ == "__main__":
    main()
