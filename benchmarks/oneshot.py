"""What a whole process costs: import, the Ads example, installed size, memory. Each measurement starts fresh processes."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import stats
from benchmarks.processes import OURS, ROOT, cores, environment, interpreter

ONESHOTS = {
    "import": {"about": "import of the package, on top of import numpy", "unit": "ms", "targets": [("seconds", 0.060)]},
    "import-all": {"about": "import of what a model needs, on top of import numpy", "unit": "ms", "targets": []},
    "example": {"about": "the whole Ads example as a process, on top of import numpy", "unit": "s", "targets": [("seconds", 0.3)]},
    "size": {"about": "installed size", "unit": "MB", "targets": [("at_most", 8.0)]},
    "wheel": {"about": "size of the wheel", "unit": "MB", "targets": [("at_most", 3.0)]},
    "memory": {"about": "peak memory of training the Ads net, above bare NumPy", "unit": "MB", "targets": [("at_most", 60.0)]},
    "memory-resnet20": {"about": "peak memory of training ResNet-20, above bare NumPy", "unit": "MB", "targets": [("torch", 1.0)]},
    "growth-predict": {"about": "growth of memory over 100,000 predict calls", "unit": "MB", "targets": [("at_most", 1.0)]},
    "growth-fit": {"about": "growth of memory over 1,000 build-fit-drop rounds", "unit": "MB", "targets": [("at_most", 1.0)]},
}  # fmt: skip

# the package alone, which may be lazy; and everything that building and training a network imports
IMPORTS = {"brisknet": "brisknet", "torch": "torch", "jax": "jax", "keras": "keras", "sklearn": "sklearn", "onnx": "onnxruntime"}
IMPORTS_ALL = {"brisknet": "brisknet.models, brisknet.layers, brisknet.optimizers, brisknet.losses, brisknet.callbacks",
               "torch": "torch.nn, torch.optim", "jax": "jax.numpy", "keras": "keras", "sklearn": "sklearn.neural_network", "onnx": "onnxruntime"}  # fmt: skip
PACKAGES = {"torch": ["torch"], "jax": ["jax", "jaxlib"], "keras": ["keras", "tensorflow-cpu", "tensorflow"],
            "sklearn": ["scikit-learn", "scipy"], "onnx": ["onnxruntime"]}  # fmt: skip


def select_with(select, only: str | None) -> list[str]:
    """The names of --only over both kinds of workloads; "processes" stands for all of these."""
    if not only:
        return [*select(None), *ONESHOTS]
    names = []
    for item in only.split(","):
        mine = [n for n in ONESHOTS if item in (n, "processes") or n.startswith(item + "-")]
        names += mine or select(item)
    return names


def launch(peer, args, code: list[str]) -> tuple[float, str]:
    """(seconds, stdout) of one process of a peer's interpreter; RuntimeError with its stderr when it fails."""
    env = {**environment(peer, args.threads), "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [interpreter(peer, args.pythons), *code]
    with cores(args.threads):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env)
        took = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{peer}: {' '.join(code)[:80]} failed: {' | '.join(done.stderr.strip().splitlines()[-3:])}")
    return took, done.stdout


def run(name: str, args) -> dict:
    about = ONESHOTS[name]
    rounds = 2 if args.quick else args.rounds
    peers = {"import": IMPORTS, "import-all": IMPORTS, "example": (*OURS, "keras"), "size": ("brisknet", *PACKAGES), "wheel": ("brisknet",),
             "memory": (*OURS, "torch", "torch-compile", "jax", "keras"), "memory-resnet20": ("brisknet", "torch", "torch-compile", "jax", "keras"),
             }.get(name, OURS)  # fmt: skip
    found = {}
    makers = {"import": imports, "import-all": imports_all, "example": example, "size": size, "wheel": wheel}
    chosen = [p for p in args.peers if p in peers]
    if name in ("import", "import-all", "size", "wheel"):
        chosen = ["brisknet" if p == "brisknet-numpy" else p for p in args.peers if p in peers or p == "brisknet-numpy"]
    timed = makers[name](list(dict.fromkeys(chosen)), args, rounds) if name in makers else memory(name, chosen, args)
    for peer, values in timed.items():
        if isinstance(values, str):
            found[peer] = {"skip": values}
            continue
        median, low, high = stats.bootstrap(values)
        found[peer] = {"median": median, "low": low, "high": high, "best": min(values), "rounds": dict(enumerate(values)), "variant": "process",
                       "value": about["unit"] == "MB"}  # fmt: skip
    first = next((p for p in args.peers if p in found and "skip" not in found[p]), None)
    for peer, entry in found.items():
        if first and peer != first and "skip" not in entry:
            entry["ratio"] = stats.ratio(found[first]["rounds"], entry["rounds"])
    return {"about": about["about"], "unit": about["unit"], "flops": None, "traffic": None, "source": "", "peers": found}


def above_numpy(peers: dict, args, rounds: int) -> dict:
    """Seconds of each peer's command less those of `import numpy` in the same interpreter, interleaved."""
    values: dict = {p: [] for p in peers}
    order = random.Random(0)
    for _ in range(rounds + 1):  # the first round fills the disk cache
        names = list(peers)
        order.shuffle(names)
        for peer in names:
            if isinstance(values[peer], str):
                continue
            try:
                bare, _ = launch(peer, args, ["-c", "import numpy"])
                took, _ = launch(peer, args, peers[peer])
            except RuntimeError as error:
                if peer in OURS:
                    raise
                values[peer] = str(error)
                continue
            values[peer].append(took - bare)
    return {p: v if isinstance(v, str) else v[1:] for p, v in values.items()}


def imports(peers, args, rounds):
    return above_numpy({p: ["-c", f"import numpy, {IMPORTS[p]}"] for p in peers}, args, rounds)


def imports_all(peers, args, rounds):
    return above_numpy({p: ["-c", f"import numpy, {IMPORTS_ALL[p]}"] for p in peers}, args, rounds)


def example(peers, args, rounds):
    """examples/ads.py by brisknet, and the same file with the import lines changed by Keras."""
    text = (ROOT / "examples" / "ads.py").read_text()
    with tempfile.TemporaryDirectory() as folder:
        theirs = Path(folder) / "ads_keras.py"
        theirs.write_text(text.replace("from brisknet.keras", "from keras").replace("from brisknet import", "from keras import"))
        options = ["--verbose", "0", *(["--epochs", "2"] if args.quick else [])]
        scripts = {p: [str(ROOT / "examples" / "ads.py" if p in OURS else theirs), *options] for p in peers}
        quick_peers = {p: c for p, c in scripts.items() if p in OURS}
        values = above_numpy(quick_peers, args, rounds)
        slow = {p: c for p, c in scripts.items() if p not in OURS}
        return values | above_numpy(slow, args, 1 if args.quick else 3)


def size(peers, args, rounds):
    out = {}
    for peer in peers:
        if peer in OURS:
            out[peer] = [our_size()]
            continue
        code = (
            "import importlib.metadata as m, json, sys\n"
            "total = 0\n"
            "for name in sys.argv[1:]:\n"
            "    try: files = m.files(name) or []\n"
            "    except m.PackageNotFoundError: continue\n"
            "    total += sum(f.locate().stat().st_size for f in files if f.locate().exists() and not str(f).endswith('.pyc'))\n"
            "print(total)\n"
        )
        total = int(launch(peer, args, ["-c", code, *PACKAGES[peer]])[1])
        out[peer] = [total / 1e6] if total else f"{PACKAGES[peer]} not installed"
    return out


def our_size() -> float:
    """MB of the package's files, installed or in the source tree (without generated C)."""
    import brisknet

    folder = Path(brisknet.__file__).parent
    files = [f for f in folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts and f.suffix not in (".c", ".o")]
    return sum(f.stat().st_size for f in files) / 1e6


def wheel(peers, args, rounds):
    """MB of a wheel built from a copy of the tree (--wheel)."""
    if not args.wheel:
        return {p: "not built (--wheel)" for p in peers}
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", "build", "*.so", "*.o", "__pycache__", ".venv", "*.egg-info"))
        done = subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, str(tree)],
            capture_output=True, text=True, env={**os.environ, "BRISKNET_REQUIRE_EXT": "1"},
        )  # fmt: skip
        if done.returncode:
            return {p: "does not build: " + " | ".join(done.stderr.strip().splitlines()[-3:]) for p in peers}
        return {p: [next(Path(folder).glob("*.whl")).stat().st_size / 1e6] for p in peers}


def memory(name, peers, args):
    """One figure a process, three processes a peer."""
    out = {}
    for peer in peers:
        values = []
        for _ in range(1 if args.quick else 3):
            code = ["-m", "benchmarks.memory_probe", name, peer, *(["quick"] if args.quick else [])]
            try:
                _, text = launch(peer, args, code)
            except RuntimeError as error:
                if peer in OURS:
                    raise
                values = str(error)
                break
            values.append(json.loads(text.splitlines()[-1])["mb"])
        out[peer] = values
    return out
