"""How often `ask` is right, by data set, method and number of examples.

    pip install -r benchmarks/requirements.txt
    python benchmarks/accuracy.py curves --out curves.jsonl [--questions 500] [--draws 4]
    python benchmarks/accuracy.py tasks --out tasks.jsonl [--questions 30] [--draws 3]
    python benchmarks/accuracy.py shots --out shots.jsonl [--questions 40]
    python benchmarks/accuracy_report.py curves.jsonl tasks.jsonl shots.jsonl

`curves`: Banking77 and SST-2, stores of 8, 32, 128, 512 and all examples, the small ones in several draws.
`tasks`: the BIG-bench tasks of the ERASE paper, 8 shots of at most 512 examples; in each draw the seeds and the
questions are others, since accuracy depends on which 8 examples are shown more than on anything else. `shots`:
every selection with 2 to 16 shots, 512 examples.

Beside edge-icl's selections, with and without its prior: Auto-CoT's selection (Zhang et al., ICLR 2023: float
k-means, the example nearest to each centre), the vote of the 8 nearest, and logistic regression on the same
int8 vectors, whole and as SISA with 5 and 20 shards. Every answer is a line of the output file, and a line that
is there is not measured again; all draws are seeded. Of a method that takes long only the first `--slow`
questions are asked.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from support.common import load, seed

from edge_icl import Example, Memory, Options
from edge_icl.answer.judging import Question, model_alone
from edge_icl.answer.prompting import ROOM_FOR_ANSWER
from edge_icl.llm.generate import Limits, generate
from edge_icl.llm.prefix import Prefixes
from edge_icl.prompt import prompt as prompts
from edge_icl.store.settings import DEFAULT_SHOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZES = (8, 32, 128, 512, 0)
"""0 is all examples."""

FEW = (8, 32)
"""Of these sizes there are several stores, one a draw: which examples they hold matters most."""

TASKS = (
    "causal_judgment",
    "disambiguation_qa",
    "dyck_languages",
    "epistemic_reasoning",
    "gender_inclusive_sentences_german",
    "implicatures",
    "linguistics_puzzles",
    "logical_fallacy_detection",
    "movie_recommendation",
    "navigate",
    "object_counting",
    "operators",
    "presuppositions_as_nli",
    "question_selection",
    "ruin_names",
    "snarks",
    "sports_understanding",
    "tense",
    "timedial",
    "winowhy",
    "word_sorting",
    "word_unscrambling",
)
MOST_OF_A_TASK = 512
SHOTS = (2, 4, 8, 16)
SHOTS_SETS = ("sst2", "bbii/implicatures", "bbii/sports_understanding")
MOST_TOKENS = 40
SHARDS = (1, 5, 20)

Found = tuple[str, float | None]
"""An answer and its probability, None where there is none."""


class Case(NamedTuple):
    """One store and the questions that it is asked."""

    name: str
    size: int
    draw: int
    shots: int
    train: list[dict[str, object]]
    asked: list[dict[str, object]]


def curves(names: list[str], questions: int, draws: int) -> Iterator[Case]:
    for name, draw in itertools.product(names, range(draws)):
        train, test = load(f"{name}/train"), load(f"{name}/test")
        asked = [test[i] for i in np.random.default_rng(0).permutation(len(test))[:questions]]
        order = np.random.default_rng(draw + 1).permutation(len(train))
        for size in SIZES if draw == 0 else FEW:
            yield Case(name, size, draw, DEFAULT_SHOTS, [train[i] for i in order[: size or None]], asked)


def tasks(names: list[str], questions: int, draws: int) -> Iterator[Case]:
    for draw, name in itertools.product(range(draws), names):
        train, test = load(f"bbii/{name}/train"), load(f"bbii/{name}/test")
        asked = [test[(draw * questions + i) % len(test)] for i in range(questions)]
        yield Case(f"bbii/{name}", MOST_OF_A_TASK, draw, DEFAULT_SHOTS, train[:MOST_OF_A_TASK], asked)


def by_shots(names: list[str], questions: int) -> Iterator[Case]:
    for name, shots in itertools.product(names, SHOTS):
        train, test = load(f"{name}/train"), load(f"{name}/test")
        order = np.random.default_rng(1).permutation(len(train))[:MOST_OF_A_TASK]
        some = [train[i] for i in order]
        yield Case(f"{name}@{shots}", MOST_OF_A_TASK, 0, shots, some, test[:questions])


def asking(memory: Memory, options: Options) -> Callable[[str], Found]:
    def ask(question: str) -> Found:
        answer = memory.ask(question, options)
        return answer.text, answer.labels.get(answer.text)

    return ask


def auto_cot(memory: Memory, shots: int, draw: int = 0) -> Callable[[str], Found]:
    """Return how Auto-CoT's examples answer: the same prompts and scores as `erase` without a prior."""
    now = memory._opened.store.snapshot()
    derived = memory._opened.cache.derived(now)
    points = derived.points
    exact = points.vectors.astype(np.float64)
    means = KMeans(min(shots, len(exact)), n_init=1, random_state=draw).fit(exact)
    chosen = dict.fromkeys(int(((exact - mean) ** 2).sum(1).argmin()) for mean in means.cluster_centers_)
    some = [page.example(i) for page, i in (now.row(points.ids[j].tobytes()) for j in chosen)]
    labels = sorted(derived.outputs) if derived.labelling("auto").labels else []
    _, model = memory._opened.engines.model()
    prefixes = Prefixes(model)

    def ask(question: str) -> Found:
        prompt = prompts.fit(question, prefix=some, budget=model.context - ROOM_FOR_ANSWER, count=model.count)
        if labels:
            return next(iter(model_alone(Question(prompt, labels, prefixes)).shares.items()))
        tokens = model.tokenize(prompt.prefix, start=True), model.tokenize(prompt.question)
        return "".join(generate(prefixes, *tokens, Limits(stop=prompt.stop, max_tokens=MOST_TOKENS))), None

    return ask


def vote(memory: Memory) -> Callable[[str], Found]:
    def ask(question: str) -> Found:
        outputs = [held.output for held in memory.search(question, limit=8)]
        counts = Counter(outputs)
        answer = max(counts, key=lambda label: (counts[label], -outputs.index(label)))
        return answer, counts[answer] / len(outputs)

    return ask


def regression(memory: Memory, shards: int) -> Callable[[str], Found]:
    """Return how logistic regression answers: one model a shard, and the majority of them."""
    now = memory._opened.store.snapshot()
    points, outputs = now.points(), [example.output for _, example in now.examples()]
    scale, models = memory.settings.scale, []
    for shard in range(shards):
        x, y = points.vectors[shard::shards] / scale, outputs[shard::shards]
        if len(set(y)) == 1:
            models.append(lambda _, only=y[0]: (only, 1.0))
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = LogisticRegression(C=10, max_iter=300).fit(x, y)
        models.append(lambda row, one=fitted: _likeliest(one, row))

    def ask(question: str) -> Found:
        row = memory._opened.embed([question]) / scale
        votes = [model(row) for model in models]
        counts = Counter(answer for answer, _ in votes)
        answer = max(counts, key=lambda label: (counts[label], label))
        return answer, float(np.mean([share if found == answer else 0 for found, share in votes]))

    return ask


def _likeliest(model: LogisticRegression, row: np.ndarray) -> Found:
    shares = model.predict_proba(row)[0]
    return str(model.classes_[shares.argmax()]), float(shares.max())


def methods(memory: Memory, case: Case) -> dict[str, tuple[bool, Callable[[], Callable[[str], Found]]]]:
    """Return each method: whether it takes long, and what makes it ready to answer."""
    shots = memory.settings.shots

    def llm(select: str, *, prior: bool = False) -> Callable[[], Callable[[str], Found]]:
        return lambda: asking(memory, Options(select=select, prior=prior, recall=False, max_tokens=MOST_TOKENS))

    alone = {
        "erase": (True, llm("erase")),
        "random": (True, llm("random")),
        "auto-cot": (True, lambda: auto_cot(memory, shots, case.draw)),
        "none": (True, llm("none")),
    }
    near = {"nearest": (True, llm("nearest")), "hybrid": (True, llm("hybrid"))}
    if "@" in case.name:
        return {**alone, **near}
    if case.name.startswith("bbii/"):
        return {"default": (False, llm("auto", prior=True)), **alone}
    return {
        "default": (False, llm("auto", prior=True)),
        "vote of 8": (False, lambda: vote(memory)),
        **{
            f"regression, {n} shards" if n > 1 else "regression": (False, lambda n=n: regression(memory, n))
            for n in SHARDS
            if n < len(case.train)
        },
        **alone,
        **near,
    }


def run(cases: Iterator[Case], out: Path, slow: int, only: list[str] | None) -> None:
    lines = out.read_text().splitlines() if out.exists() else []
    there = {tuple(json.loads(line)["key"]) for line in lines}
    with out.open("a") as file:
        for case in cases:
            with (
                tempfile.TemporaryDirectory() as folder,
                Memory.create(Path(folder) / "store", seed=seed(case.draw), shots=case.shots) as memory,
            ):
                memory.add_many([Example.create(row["input"], row["output"]) for row in case.train])
                for method, (long, make) in methods(memory, case).items():
                    todo = list(enumerate(case.asked[:slow] if long else case.asked))
                    keys = [(case.name, case.size, method, case.draw, i) for i, _ in todo]
                    if (only and method not in only) or there.issuperset(keys):
                        continue
                    ask = make()
                    for key, (_, row) in zip(keys, todo, strict=True):
                        if key not in there:
                            file.write(json.dumps({"key": key, **measured(ask, row)}) + "\n")
                    file.flush()
                    print(*case[:3], method, flush=True)


def measured(ask: Callable[[str], Found], row: dict[str, object]) -> dict[str, object]:
    begun = time.perf_counter()
    answer, share = ask(row["input"])
    right = answer.strip() in row.get("accept", [row["output"]])
    return {"right": right, "share": share, "seconds": round(time.perf_counter() - begun, 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("curves", "tasks", "shots"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--questions", type=int)
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--slow", type=int, default=100)
    parser.add_argument("--methods", nargs="+")
    given = parser.parse_args()
    if given.part == "curves":
        cases = curves(given.sets or ["banking77", "sst2"], given.questions or 500, given.draws)
        run(cases, given.out, given.slow, given.methods)
    elif given.part == "shots":
        run(by_shots(given.sets or SHOTS_SETS, given.questions or 40), given.out, given.slow, given.methods)
    else:
        cases = tasks(given.sets or TASKS, given.questions or 30, given.draws)
        run(cases, given.out, given.slow, given.methods)


if __name__ == "__main__":
    main()
