"""Whole training steps, predictions and process costs against other frameworks.

    python -m benchmarks.compare [--only ads,images] [--peers brisknet,torch,jax,keras,sklearn,onnx,c] [--threads 2]
                                 [--rounds 9] [--quick] [--json out.json] [--png out.png] [--results] [--history file]

Each peer runs in a process of its own; rounds are interleaved in random order and only one process is awake at a time.
A peer is timed only after its losses agree with an independent NumPy fit. The peer "brisknet" must have run the native
executor, else the comparison fails; "brisknet-numpy" is the reference executor. --python PATH gives the interpreter of
the other frameworks, where they live in another environment.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

from benchmarks import history, machine, oneshot, plot, report, stats, workloads
from benchmarks.gate import Gate, needed
from benchmarks.processes import OURS, PEERS, ROOT, PeerError, Worker

DEFAULT_PEERS = "brisknet,torch,torch-compile,jax,keras,sklearn,onnx,numpy,c"


def parse(argv):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", help=f"workloads or groups ({', '.join(workloads.GROUPS)}, processes), comma-separated; default: all")
    parser.add_argument("--peers", default=DEFAULT_PEERS, help=f"of {', '.join(PEERS)}; the first is what others are compared with")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.4, help="about how long one measurement runs")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that everything runs, measures nothing")
    parser.add_argument("--python", action="append", default=[], metavar="[PEER=]PATH", help="interpreter of a peer, or of all other frameworks")
    parser.add_argument("--wheel", action="store_true", help="build a wheel for the size workload")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--png", type=Path)
    parser.add_argument("--history", type=Path, help="append a line of figures with the commit to this file")
    parser.add_argument("--results", action="store_true", help="write the table to benchmarks/RESULTS.md, append to benchmarks/history.jsonl")
    args = parser.parse_args(argv)
    args.peers = args.peers.split(",")
    unknown = [p for p in args.peers if p not in PEERS]
    if unknown:
        parser.error(f"unknown peers {unknown}; there are {', '.join(PEERS)}")
    args.pythons = dict(p.rsplit("=", 1) if "=" in p else ("", p) for p in args.python)
    if args.rounds < 5 and not args.quick:
        parser.error("--rounds must be at least 5: fewer say nothing about the spread")
    try:
        args.names = oneshot.select_with(workloads.select, args.only)
    except ValueError as error:
        parser.error(str(error))
    return args


class Comparison:
    """The workers, and one workload after another through them."""

    def __init__(self, args):
        self.args, self.random = args, random.Random(0)
        self.workers: dict[str, Worker] = {}
        self.absent: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self.peers = list(args.peers)

    def start(self):
        """Start the workers one after another, each importing alone."""
        for peer in self.peers:
            self.worker(peer)

    def worker(self, peer):
        if peer not in self.workers and peer not in self.absent:
            worker = Worker(peer, self.args.threads, self.args.pythons)
            try:
                worker.ask(do="drop", timeout=180)
            except PeerError as error:
                worker.close()
                self.absent[peer] = str(error)
                if peer in OURS:
                    raise
                log(f"  {peer} is absent: {error}")
                return None
            self.workers[peer] = worker
        return self.workers.get(peer)

    def close(self):
        for worker in self.workers.values():
            worker.close()

    def workload(self, name: str) -> dict:
        spec = {**workloads.WORKLOADS[name], "name": name}
        spec.pop("targets")
        if self.args.quick:
            spec = workloads.shrink(spec)
        log(f"{name}: {spec['about']}")
        gate, found = Gate(spec, self.args.quick), {}
        for peer in self.peers:
            entry = self.prepare(peer, spec, gate)
            if entry is not None:
                found[peer] = entry
        ready = [p for p, entry in found.items() if "skip" not in entry]
        self.rounds(spec, ready, found)
        for peer in self.workers.values():
            peer.ask(do="drop")
        return {"about": spec["about"], "unit": spec["unit"], "flops": workloads.flops(spec), "traffic": workloads.traffic(spec),
                "source": workloads.source(spec), "peers": found}  # fmt: skip

    def prepare(self, peer, spec, gate):
        """Gate and tune one peer; its entry, or None where it has nothing for this workload."""
        worker = self.worker(peer)
        if worker is None:
            return None
        try:
            tuned = worker.ask(do="tune", spec=spec, threads=self.args.threads, seconds=0 if self.args.quick else self.args.seconds)
            if "skip" in tuned:
                if tuned["skip"] == "nothing comparable":
                    return None
                if peer in OURS:
                    raise PeerError(f"{peer} does not run {spec['name']}: {tuned['skip']}")
                log(f"  {peer:14} does not run: {tuned['skip']}")
                return {"skip": tuned["skip"]}
            verdicts = []
            for what in needed(spec, peer):
                ok, words = gate.judge(what, self.results(worker, what, gate), peer)
                verdicts.append(words)
                if not ok:
                    raise PeerError(f"{peer} fails the gate of {spec['name']}: {words}")
        except PeerError as error:
            if peer in OURS:
                raise
            log(f"  {peer:14} left out: {error}")
            self.restart(peer)
            return {"skip": str(error).splitlines()[0]}
        self.versions.update(tuned["versions"])
        log(f"  {peer:14} {tuned['variant']}; {'; '.join(verdicts) or 'no losses'}")
        return {k: tuned[k] for k in ("variant", "tried", "executor", "value")} | {"gate": verdicts, "rounds": {}}

    @staticmethod
    def results(worker, what, gate):
        """A peer's losses or outputs, for the gate to judge."""
        if what == "outputs":
            return worker.ask(do="outputs", spec=gate.specs[what])["outputs"]
        small, seeds, epochs = gate.specs[what]
        return worker.ask(do="losses", spec=small, seeds=seeds, epochs=epochs)["losses"]

    def restart(self, peer):
        """After a failure the process may hold anything: the next workload gets a fresh one."""
        if peer in self.workers:
            self.workers.pop(peer).close()

    def rounds(self, spec, ready, found):
        for i in range(2 if self.args.quick else self.args.rounds):
            order = list(ready)
            self.random.shuffle(order)
            for peer in order:
                result = self.workers[peer].ask(do="run", seconds=0 if self.args.quick else self.args.seconds)
                entry = found[peer]
                entry["rounds"][i] = result["per_unit"]
                entry.setdefault("cpu", []).append(result["cpu_per_unit"])
                entry["loss"], entry["peak_mb"] = result["loss"], result["peak_mb"]
        for peer in ready:
            entry = found[peer]
            entry["median"], entry["low"], entry["high"] = stats.bootstrap(list(entry["rounds"].values()))
            entry["best"] = (max if entry["value"] and spec["unit"] != "%" else min)(entry["rounds"].values())
            entry["cpu_per_unit"] = None if peer == "c" else stats.bootstrap(entry.pop("cpu"))[0]
            first = self.peers[0]
            if peer != first and first in ready:
                entry["ratio"] = stats.ratio(found[first]["rounds"], entry["rounds"])


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT)
    return done.stdout.strip() or "unknown"


def main(argv=None) -> dict:
    args = parse(argv)
    log("measuring the machine")
    limits = machine.Machine.measure(args.threads, args.quick)
    comparison, found = Comparison(args), {}
    try:
        steady = [n for n in args.names if n in workloads.WORKLOADS]
        if steady:
            comparison.start()
        for name in steady:
            found[name] = comparison.workload(name)
    finally:
        comparison.close()
    for name in args.names:
        if name in oneshot.ONESHOTS:
            log(f"{name}: {oneshot.ONESHOTS[name]['about']}")
            found[name] = oneshot.run(name, args)
    limits = limits.merged(machine.Machine.measure(args.threads, args.quick))
    result = {
        "machine": machine.describe(), "limits": limits.rows, "threads": args.threads, "commit": commit(), "quick": args.quick,
        "versions": comparison.versions, "absent": comparison.absent, "first": args.peers[0], "workloads": found,
    }  # fmt: skip
    report.add_targets(result)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    if args.history or args.results:
        with (args.history or history.FILE).open("a") as f:
            f.write(json.dumps(report.history_line(result)) + "\n")
    table = report.markdown(result)
    print(table)
    if args.results:
        (ROOT / "benchmarks" / "RESULTS.md").write_text(table + "\n")
    if args.png:
        plot.draw(result, args.png, args.pythons.get(""))
    return result


if __name__ == "__main__":
    main()
