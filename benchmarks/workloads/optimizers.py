"""Each optimizer's update of one matrix of 10 M parameters, which memory bandwidth bounds.

`bytes` is what an update must move a parameter: it reads gradient, parameter and slots and writes all but the gradient, and
each array far exceeds the caches, so that a rule of two passes reads again. LAMB's first pass renews the moments and sums
the norms of parameter and update (reads 16, writes 8), its second applies (reads 12, writes 4). Adafactor's slots of a
matrix are its row and column means, which cost nothing; its passes take the means of the squared gradient and the norm of
the parameter (8), the norm of the update (4), and apply (reads 8, writes 4).
"""

from __future__ import annotations

PARAMETERS = [2500, 4000]

# name: (Keras' class, its arguments, slots of the parameter's size, bytes where one pass does not do)
RULES = {
    "sgd": ("SGD", {}, 0, None),
    "momentum": ("SGD", {"momentum": 0.9}, 1, None),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}, 1, None),
    "rmsprop": ("RMSprop", {}, 1, None),
    "rmsprop_momentum": ("RMSprop", {"momentum": 0.9}, 2, None),
    "rmsprop_centered": ("RMSprop", {"centered": True}, 2, None),
    "rmsprop_both": ("RMSprop", {"centered": True, "momentum": 0.9}, 3, None),
    "adam": ("Adam", {}, 2, None),
    "amsgrad": ("Adam", {"amsgrad": True}, 3, None),
    "adamw": ("AdamW", {}, 2, None),
    "adagrad": ("Adagrad", {}, 1, None),
    "adadelta": ("Adadelta", {}, 2, None),
    "adamax": ("Adamax", {}, 2, None),
    "nadam": ("Nadam", {}, 2, None),
    "ftrl": ("Ftrl", {}, 2, None),
    "lion": ("Lion", {}, 1, None),
    "lamb": ("Lamb", {}, 2, 40),
    "adafactor": ("Adafactor", {}, 0, 24),
}

WORKLOADS = {
    f"opt-{name}": {
        "kind": "optimizer", "rule": name, "class": cls, "args": args, "shape": PARAMETERS, "arrays": 2 + slots,
        "bytes": moved or 12 + 8 * slots, "unit": "ms/step", "targets": [("bandwidth", 0.8)],
        "about": f"{cls}({', '.join(f'{k}={v}' for k, v in args.items())}), one update of 10 M parameters",
    }
    for name, (cls, args, slots, moved) in RULES.items()
}  # fmt: skip
