"""The machine under the figures: processor, FMA peak and memory bandwidth, measured by machine.c where there is a compiler."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

__all__ = ["Machine", "cpu_model", "describe"]


def cpu_model() -> str:
    """The processor's name as the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Model")):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def describe() -> dict:
    """What a reader needs to know about the place where figures were made."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    return {"cpu": cpu_model(), "cores": cores, "system": f"{platform.system()} {platform.machine()}", "python": platform.python_version()}


class Machine:
    """Peaks by thread count. Empty, and every fraction None, where no C compiler is found."""

    def __init__(self, rows=()):
        self.rows = list(rows)

    @classmethod
    def measure(cls, threads: int, quick: bool = False) -> Machine:
        compiler = os.environ.get("CC", "").split()[:1] or [c for c in ("cc", "gcc", "clang") if shutil.which(c)][:1]
        if not compiler:
            return cls()
        with tempfile.TemporaryDirectory() as folder:
            program = str(Path(folder) / "machine")
            source = str(Path(__file__).with_name("machine.c"))
            built = subprocess.run([*compiler, "-O2", "-march=native", "-ffp-contract=fast", "-pthread", source, "-o", program],
                                   capture_output=True, text=True)  # fmt: skip
            if built.returncode:
                raise RuntimeError(f"{compiler[0]} could not build machine.c:\n{built.stderr}")
            rows = []
            for n in sorted({1, threads}):
                done = subprocess.run([program, str(n), *(["quick"] if quick else [])], capture_output=True, text=True, check=True)
                rows += [json.loads(line) for line in done.stdout.splitlines()]
        return cls(rows)

    def merged(self, other: Machine) -> Machine:
        """The better of two measurements, one before and one after everything else: a peak is what was ever reached."""
        speed = lambda r: r.get("gflops") or r["gbytes"]  # noqa: E731
        return Machine([max(pair, key=speed) for pair in zip(self.rows, other.rows)])

    def gflops(self, threads: int) -> float | None:
        """FMA peak of so many threads."""
        return next((r["gflops"] for r in self.rows if r["what"] == "fma" and r["threads"] == threads), None)

    def bandwidth(self, threads: int, working_set: float, what: str = "update") -> float | None:
        """GB/s of the smallest measured working set that is at least as large as asked for (else the largest)."""
        rows = [r for r in self.rows if r["what"] == what and r["threads"] == threads]
        if not rows:
            return None
        return min(rows, key=lambda r: (r["bytes"] < working_set, abs(r["bytes"] - working_set)))["gbytes"]

    def lines(self) -> list[str]:
        """The measured limits in words."""
        out = []
        for n in sorted({r["threads"] for r in self.rows}):
            sets = [(2**20, "1 MB"), (2**24, "16 MB"), (2**27, "128 MB")]
            parts = [f"{self.bandwidth(n, size):.0f} GB/s ({name})" for size, name in sets]
            out.append(f"{n} thread{'s' * (n > 1)}: FMA peak {self.gflops(n):.1f} GFLOP/s; update bandwidth {', '.join(parts)}")
        return out
