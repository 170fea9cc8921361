"""The figures as horizontal bars on a logarithmic axis. Also by hand: python -m benchmarks.plot results.json out.png"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

COLOURS = {"brisknet": "#1f6feb", "brisknet-numpy": "#9ec5fe", "c": "#333333", "torch": "#ee4c2c", "torch-compile": "#f5a08f",
           "jax": "#2a9d8f", "keras": "#c62828", "sklearn": "#f7931e", "onnx": "#7b61a8", "numpy": "#4dabcf"}  # fmt: skip


def draw(result: dict, path: Path, other_python: str | None = None) -> None:
    """Write the plot; where this interpreter has no matplotlib, by the other frameworks' interpreter."""
    if importlib.util.find_spec("matplotlib"):
        paint(result, path)
    elif other_python:
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "result.json"
            data.write_text(json.dumps(result))
            root = Path(__file__).resolve().parent.parent
            subprocess.run([other_python, "-m", "benchmarks.plot", str(data), str(Path(path).resolve())], check=True, cwd=root)
    else:
        print("no plot: matplotlib is not installed (pip install 'brisknet[bench]')", file=sys.stderr)


def paint(result: dict, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    from benchmarks.report import number
    from benchmarks.workloads import UNITS

    shown = [w for n, w in result["workloads"].items() if sum("median" in e for e in w["peers"].values()) > 1 and not n.startswith("gemm")]
    if not shown:
        return
    columns = min(3, len(shown))
    height = -(-len(shown) // columns)
    figure, axes = plt.subplots(height, columns, figsize=(5 * columns, 2.1 * height), squeeze=False)
    for axis in axes.flat[len(shown) :]:
        axis.axis("off")
    for axis, workload in zip(axes.flat, shown):
        scale = UNITS[workload["unit"]]
        bars = [(p, e["median"] * scale) for p, e in workload["peers"].items() if "median" in e]
        values = [max(v, 1e-4) for _, v in bars]
        axis.barh([p for p, _ in bars], values, color=[COLOURS.get(p, "#888888") for p, _ in bars])
        axis.bar_label(axis.containers[0], [number(v) for _, v in bars], padding=3, fontsize=7)
        axis.set_xscale("log")
        axis.set_xlim(min(values) / 3, max(values) * 6)
        axis.invert_yaxis()
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.tick_params(labelsize=7)
        axis.set_title(f"{workload['about']}, {workload['unit']}", fontsize=7.5)
        axis.spines[["top", "right"]].set_visible(False)
    m = result["machine"]
    figure.suptitle(f"{m['cpu']}, {result['threads']} threads, commit {result['commit']}; log scale", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    paint(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
