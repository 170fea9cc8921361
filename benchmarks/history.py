"""The figures of a history file, commit by commit: python -m benchmarks.history [--file F] [--only ads,lenet]

compare --history F appends a line a run (--results: to benchmarks/history.jsonl). Only runs on one processor with as many
threads are set side by side: those of the last run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks import oneshot, workloads
from benchmarks.report import number

FILE = Path(__file__).with_name("history.jsonl")


def read(path: Path) -> list[dict]:
    """The runs that can be compared with the last one, oldest first."""
    runs = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    place = ("cpu", "threads", "peer", "quick")
    return [r for r in runs if all(r.get(k) == runs[-1].get(k) for k in place)]


def table(runs: list[dict], only: str | None = None) -> str:
    """One row a workload, one column a commit; runs of one commit stand side by side."""
    chosen = oneshot.select_with(workloads.select, only)
    names = [n for n in chosen if any(n in r["medians"] for r in runs)]
    lines = ["| workload | " + " | ".join(r["commit"] for r in runs) + " |", "|---|" + "--:|" * len(runs)]
    for name in names:
        unit = {**workloads.WORKLOADS, **oneshot.ONESHOTS}[name]["unit"]
        figures = [number(v if v is None else v * workloads.UNITS[unit]) for v in (r["medians"].get(name) for r in runs)]
        lines.append(f"| {name}, {unit} | " + " | ".join(figures) + " |")
    return "\n".join(lines)


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--only", help="workloads or groups, comma-separated; default: all")
    args = parser.parse_args(argv)
    if not args.file.exists():
        parser.error(f"there is no {args.file}: python -m benchmarks.compare --history {args.file} begins one")
    print(table(read(args.file), args.only))


if __name__ == "__main__":
    main()
