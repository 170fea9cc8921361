"""The parent's side of a worker: a process that is stopped whenever it is not its turn."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# peer: (module, arguments)
PEERS = {
    "brisknet": ("brisknet_fit", []),
    "brisknet-numpy": ("brisknet_fit", ["numpy"]),
    "torch": ("pytorch", []),
    "torch-compile": ("pytorch", ["compile"]),
    "jax": ("jax_scan", []),
    "keras": ("keras_tf", []),
    "sklearn": ("sklearn_mlp", []),
    "onnx": ("onnx_runtime", []),
    "numpy": ("numpy_blas", []),
    "c": ("yardsticks", []),
}
OURS = ("brisknet", "brisknet-numpy")


class PeerError(RuntimeError):
    """A worker ended, hung or reported an error."""


def environment(peer: str, threads: int) -> dict:
    """The environment of a peer: `threads` threads, and none of the settings that change what NumPy's BLAS runs."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "OMP_", "MKL_", "BRISKNET_BACKEND", "XLA_FLAGS"))}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BRISKNET_NUM_THREADS"):
        env[name] = str(threads)
    env["JAX_PLATFORMS"], env["CUDA_VISIBLE_DEVICES"] = "cpu", ""
    paths = [str(ROOT)]
    if peer in OURS and env.get("PYTHONPATH"):
        paths.append(env["PYTHONPATH"])
    env["PYTHONPATH"] = os.pathsep.join(paths)
    if peer == "brisknet-numpy":
        env["BRISKNET_BACKEND"] = "numpy"
    return env


def interpreter(peer: str, pythons: dict) -> str:
    """The Python of a peer: --python PEER=PATH, else --python PATH for all peers that are not ours, else this one."""
    if peer in pythons:
        return pythons[peer]
    return sys.executable if peer in (*OURS, "c") else pythons.get("", sys.executable)


@contextmanager
def cores(threads: int):
    """Processes started here may use only the first `threads` of our cores: a child inherits its parent's set."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:threads])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Worker:
    """A peer's process. Between its turns it is stopped by SIGSTOP, so no pool of it can spin."""

    def __init__(self, peer: str, threads: int, pythons: dict):
        module, arguments = PEERS[peer]
        self.peer = peer
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in close()
        command = [interpreter(peer, pythons), "-m", f"benchmarks.peers.{module}", *arguments]
        with cores(threads):
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
                env=environment(peer, threads), cwd=ROOT,
            )  # fmt: skip
        self.stopped = False

    def ask(self, timeout: float = 900.0, **request) -> dict:
        """Wake the worker, ask, wait for the answer, stop it again. PeerError when it fails or takes too long."""
        self._signal("SIGCONT")
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise PeerError(f"{self.peer} ended early: {self.tail()}") from None
        if os.name == "posix" and not select.select([self.process.stdout], [], [], timeout)[0]:
            raise PeerError(f"{self.peer} gave no answer to {request['do']!r} within {timeout:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise PeerError(f"{self.peer} ended with exit code {self.process.returncode}: {self.tail()}")
        self._signal("SIGSTOP")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(f"{self.peer}: {answer['error']}\n{answer.get('traceback', '')}")
        return answer

    def _signal(self, name: str) -> None:
        if hasattr(signal, name):
            self.process.send_signal(getattr(signal, name))

    def tail(self) -> str:
        """The last lines of what the worker wrote to stderr."""
        self.errors.seek(0)
        return " | ".join(self.errors.read().strip().splitlines()[-4:])

    def close(self) -> None:
        self._signal("SIGCONT")
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            try:
                stream.close()
            except BrokenPipeError:
                pass
