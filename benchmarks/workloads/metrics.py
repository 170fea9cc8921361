"""What each streaming metric adds to the training step of the Ads net, in per cent of the step without metrics.

An epoch has 2,000 steps: the result, read once an epoch, hardly counts.
"""

from __future__ import annotations

from benchmarks.workloads.dense import ADS

STEP = {**ADS, "rows": 64_000, "epochs": 1}

BINARY = {
    "BinaryAccuracy": {}, "Precision": {}, "Recall": {}, "F1Score": {"threshold": 0.5}, "FBetaScore": {"threshold": 0.5, "beta": 2.0},
    "AUC": {}, "SensitivityAtSpecificity": {"specificity": 0.5}, "MeanSquaredError": {}, "RootMeanSquaredError": {},
    "MeanAbsoluteError": {}, "R2Score": {}, "BinaryCrossentropy": {}, "BinaryIoU": {}, "CosineSimilarity": {},
}  # fmt: skip
CLASSES = {"SparseCategoricalAccuracy": {}, "SparseTopKCategoricalAccuracy": {"k": 5}, "SparseCategoricalCrossentropy": {}}
COSTLY = ("AUC", "SensitivityAtSpecificity")  # 200 thresholds: up to 30 %, the others up to 5 %


def workload(name: str, args: dict, spec: dict, net: str) -> dict:
    return {
        **spec, "kind": "metric", "metric": name, "args": args, "unit": "%", "targets": [("at_most", 30.0 if name in COSTLY else 5.0)],
        "about": f"{name}: added to the step of the Ads net{net}",
    }  # fmt: skip


WORKLOADS = {f"metric-{name}": workload(name, args, STEP, "") for name, args in BINARY.items()}
TEN = {**STEP, "sizes": [*ADS["sizes"][:-1], 10], "loss": "scce"}
WORKLOADS |= {f"metric-{name}": workload(name, args, TEN, " with ten classes") for name, args in CLASSES.items()}
