"""Mails with one long shared beginning: what reading them in windows gains over cutting them.

    python benchmarks/long_texts.py [--encoder NAME] [--words 0 150 300 600] [--examples 512] [--questions 300]

Banking77's questions stand at the end of mails that all begin with the same words: a greeting, a disclaimer and
what was quoted. The prior alone answers. "cut" reads one window, as the first stores do; "windows" all of a
text.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import cycle, islice

import numpy as np
from encoders import answers
from support.common import load, show

from edge_icl import Example
from edge_icl.encode.encoder import Encoder
from edge_icl.models import location
from edge_icl.models.catalogue import DEFAULT_ENCODER

BEGINNING = """
Dear team, thank you for the friendly call this morning and for your patience with my many questions. This
message and any files with it are confidential and meant only for the people to whom they are addressed. If
you have received it by mistake, please tell the sender and delete it; its contents must not be used, copied
or passed on. Opinions in it are those of the writer and not those of the company, which takes no liability
for damage from viruses. Please think of the trees before you print this. On Tuesday you wrote: we are happy
to help you with your account, our office is open from nine to five on working days, and you reach us by
phone at any time.
"""


def mail(begin: str, row: dict[str, str]) -> Example:
    return Example.create(f"{begin}\n\n{row['input']}", row["output"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--words", type=int, nargs="+", default=[0, 150, 300, 600])
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--questions", type=int, default=300)
    given = parser.parse_args()
    network = location.find_encoder(given.encoder).networks[0]
    ways = {
        "cut": Encoder([network._replace(settings=replace(network.settings, windows=1))]),
        "windows": Encoder([network]),
    }
    rows = load("banking77/train")
    taught = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[: given.examples]]
    asked = load("banking77/test")[: given.questions]
    table: list[tuple[object, ...]] = []
    for words in given.words:
        begin = " ".join(islice(cycle(BEGINNING.split()), words))
        known, tested = ([mail(begin, row) for row in some] for some in (taught, asked))
        right = []
        for encoder in ways.values():
            texts = sorted({example.input for example in known + tested})
            vectors = dict(zip(texts, encoder.encode(texts), strict=True))
            found = answers(known, tested, vectors)
            right.append(np.mean([a == one.output for a, one in zip(found, tested, strict=True)]))
        table.append((words, *(f"{share:.1%}" for share in right)))
        print(table[-1], flush=True)
    show(f"{given.examples} examples", table, ("words in front", *ways))


if __name__ == "__main__":
    main()
