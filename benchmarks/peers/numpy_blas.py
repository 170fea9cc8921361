"""NumPy's own BLAS (OpenBLAS in its wheels) as the yardstick of matrix products."""

from __future__ import annotations

import sys

import numpy as np

from benchmarks import workloads
from benchmarks.peers import worker
from benchmarks.peers.worker import Task


def versions() -> dict:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {"numpy": np.__version__, "blas": f"{blas.get('name')} {blas.get('version')}"}


def variants(spec: dict, threads: int) -> dict:
    if spec["kind"] != "gemm":
        return {}

    def build():
        m, k, n = spec["shape"]
        rng = np.random.default_rng(0)
        a = rng.standard_normal((m, k) if spec["layout"][0] == "N" else (k, m)).astype(np.float32)
        b = rng.standard_normal((k, n) if spec["layout"][1] == "N" else (n, k)).astype(np.float32)
        a = a if spec["layout"][0] == "N" else a.T
        b = b if spec["layout"][1] == "N" else b.T
        out = np.empty((m, n), np.float32)
        calls = max(1, min(2000, int(2e8 / workloads.flops(spec))))

        def run():
            for _ in range(calls):
                np.matmul(a, b, out=out)

        return Task(run, calls)

    return {f"matmul, {threads} threads": build}


if __name__ == "__main__":
    worker.serve(sys.modules[__name__])
