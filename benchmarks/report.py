"""Targets, and the Markdown table."""

from __future__ import annotations

from benchmarks import oneshot, workloads
from benchmarks.machine import Machine

BEST_OF = ("torch", "torch-compile", "jax", "keras", "sklearn")


def targets_of(name: str) -> list:
    return (workloads.WORKLOADS.get(name) or oneshot.ONESHOTS[name])["targets"]


def fractions(result: dict, workload: dict, seconds: float) -> dict:
    """{"peak": of the FMA peak of all threads, "bandwidth": of the update bandwidth at the working set}, where known."""
    limits, threads, out = Machine(result["limits"]), result["threads"], {}
    peak = limits.gflops(threads)
    if workload["flops"] and peak:
        out["peak"] = workload["flops"] / seconds / 1e9 / peak
    if workload["traffic"]:
        moved, working_set = workload["traffic"]
        limit = limits.bandwidth(threads, working_set)
        if limit:
            out["bandwidth"] = moved / seconds / 1e9 / limit
    return out


def add_targets(result: dict) -> None:
    """Fractions of the machine for each peer, and for the first peer each target with its figure and verdict."""
    first = result["first"]
    for name, workload in result["workloads"].items():
        peers = workload["peers"]
        for entry in peers.values():
            if "median" in entry and not entry["value"]:
                entry["fractions"] = fractions(result, workload, entry["median"])
        ours = peers.get(first)
        workload["targets"] = [
            judge(kind, wanted, ours, peers, workload["unit"]) for kind, wanted in targets_of(name)
        ] if ours and "median" in ours and first == "brisknet" and not result["quick"] else []  # fmt: skip


GROUPS = {"best": BEST_OF, "pytorch": ("torch", "torch-compile")}
LIMITS = {"seconds": ("≤", 1e3, "ms"), "at_most": ("≤", 1, None), "value": ("≥", 1, None)}  # sign, scale and unit to print


def judge(kind, wanted, ours, peers, unit) -> dict:
    """{"text", "figure", "words", "met"}; met is None where the peer was not there."""
    if kind in LIMITS:
        sign, scale, printed = LIMITS[kind]
        figure, printed = ours["median"], printed or unit
        text, words = f"{sign} {wanted * scale:g} {printed}", f"{number(figure * scale)} {printed}"
        return {"text": text, "figure": figure, "words": words, "met": figure >= wanted if sign == "≥" else figure <= wanted}
    if kind in ("peak", "bandwidth"):
        figure, text = ours.get("fractions", {}).get(kind), f"≥ {wanted:.0%} of {kind}"
        words = None if figure is None else f"{figure:.0%}"
    else:
        names = GROUPS.get(kind, (kind,))
        figure = min((peers[p]["ratio"][0] for p in names if peers.get(p, {}).get("ratio")), default=None)
        text, words = f"≥ {wanted:.2g}× {kind}", None if figure is None else f"{number(figure)}×"
    return {"text": text, "figure": figure, "words": words or "–", "met": None if figure is None else figure >= wanted}


def number(value: float) -> str:
    """Three significant digits without an exponent."""
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"


def markdown(result: dict) -> str:
    """The whole report: the machine, one row a workload and peer, the targets."""
    m, limits = result["machine"], Machine(result["limits"])
    lines = ["# Benchmark results", ""]
    if result["quick"]:
        lines += ["**A smoke test with tiny sizes: these figures measure nothing.**", ""]
    lines += [f"{m['cpu']}, {m['cores']} cores ({result['threads']} used), {m['system']}, Python {m['python']}, commit {result['commit']}.  "]
    lines += [line + ".  " for line in limits.lines()] or ["No C compiler: peaks not measured.  "]
    lines += ["Versions: " + ", ".join(f"{k} {v}" for k, v in sorted(result["versions"].items())) + ".", ""]
    lines += ["Medians over interleaved rounds; ratio: the peer's time over that of "
              f"{result['first']}, median of the rounds with its 95 % bootstrap interval.", ""]  # fmt: skip
    lines += ["| workload | peer | median | best | ratio | of FMA peak | of bandwidth | CPU time | how |", "|---|---|--:|--:|--:|--:|--:|--:|---|"]
    for workload in result["workloads"].values():
        lines += rows(workload)
    lines += ["", *target_table(result), "", *settings_table(result)]
    return "\n".join(lines)


def rows(workload: dict) -> list[str]:
    scale, unit, out = workloads.UNITS[workload["unit"]], workload["unit"], []
    about = workload["about"] + (f" ({workload['source']})" if "MNIST" in workload.get("source", "") else "")
    for peer, e in workload["peers"].items():
        if "skip" in e:
            out.append(f"| {about} | {peer} | – | – | – | – | – | – | {e['skip'][:80].replace('|', '/')} |")
        elif e:
            ratio = "{}× ({}–{})".format(*map(number, e["ratio"])) if e.get("ratio") else "1"
            f = e.get("fractions", {})
            percent = [f"{f[k]:.0%}" if k in f else "–" for k in ("peak", "bandwidth")]
            cpu = number(e["cpu_per_unit"] * scale) if e.get("cpu_per_unit") and not e["value"] else "–"
            how = e["variant"] + (f", {e['executor']} executor" if e.get("executor") else "")
            out.append(f"| {about} | {peer} | {number(e['median'] * scale)} {unit} | {number(e['best'] * scale)} | {ratio} | "
                       f"{percent[0]} | {percent[1]} | {cpu} | {how} |")  # fmt: skip
        about = ""
    return out


def target_table(result: dict) -> list[str]:
    lines = ["| workload | target | measured | met |", "|---|---|--:|---|"]
    for workload in result["workloads"].values():
        for t in workload["targets"]:
            met = {True: "yes", False: "**no**", None: "not measured"}[t["met"]]
            lines.append(f"| {workload['about']} | {t['text']} | {t['words']} | {met} |")
    return lines if len(lines) > 2 else []


def settings_table(result: dict) -> list[str]:
    """Every setting that a peer was tried with, such as PyTorch's 1 and 2 threads; the fastest is in the first table."""
    lines = ["Settings tried before the rounds, shortest first:", "", "| workload | peer | settings |", "|---|---|---|"]
    for workload in result["workloads"].values():
        scale, unit = workloads.UNITS[workload["unit"]], workload["unit"]
        for peer, entry in workload["peers"].items():
            took = {k: v for k, v in entry.get("tried", {}).items() if not isinstance(v, str)}
            if len(took) > 1:
                words = "; ".join(f"{label}: {number(took[label] * scale)}" for label in sorted(took, key=took.get))
                lines.append(f"| {workload['about']}, {unit} | {peer} | {words} |")
    return lines if len(lines) > 4 else []


def history_line(result: dict) -> dict:
    """One line of a history file: the commit, the machine, the first peer's medians in seconds (or values)."""
    first = result["first"]
    figures = {n: w["peers"][first]["median"] for n, w in result["workloads"].items() if "median" in w["peers"].get(first, {})}
    return {"commit": result["commit"], "cpu": result["machine"]["cpu"], "threads": result["threads"], "quick": result["quick"],
            "peer": first, "medians": figures}  # fmt: skip
