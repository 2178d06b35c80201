"""Every bar of the project in one run and one table: `make bench`.

    pip install -r benchmarks/requirements.txt
    python benchmarks/bench.py [--out bench.json] [--only scale searching ...]

Each script beside this one asks one question and has a `bars()`; run alone, it shows more. Nothing in the
library changes for a benchmark. What is not installed is left out and said so; without Banking77, made-up
questions of the same kind are asked, since none of these measures is of accuracy.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from importlib import import_module, metadata
from pathlib import Path

from support.bars import table
from support.common import data_used

QUESTIONS = ("startup", "scale", "against", "searching", "embedding", "asking", "batches")
PACKAGES = ("edge-icl", "numpy", "onnxruntime", "llama-cpp-python", "simsimd", "chromadb", "sqlite-vec")


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "processor": processor(),
        "processors": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": versions,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="also write the bars as JSON")
    parser.add_argument("--only", nargs="+", choices=QUESTIONS, default=QUESTIONS)
    given = parser.parse_args()
    begun, found = time.perf_counter(), []
    for name in given.only:
        print(f"\n## {name}", flush=True)
        found += import_module(name).bars()
    table(f"Bars, in {(time.perf_counter() - begun) / 60:.0f} minutes{data_used()}", found)
    if given.out:
        lines = [{**bar._asdict(), "met": bar.met} for bar in found]
        given.out.write_text(
            json.dumps({"machine": machine(), "bars": lines}, indent=2) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
