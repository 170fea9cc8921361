"""Makes torch_conv.npz with PyTorch: `python -m tests.golden.make_torch_conv`. In float64, channels put last as here."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from tests.golden.compare import HERE
from tests.golden.torch_cases import CONVOLUTIONS, POOLS


def tensor(x, axes):
    return torch.tensor(np.transpose(x, axes).astype("float64"), requires_grad=True)


def back(t, axes):
    return np.transpose(t.detach().numpy(), axes)


def main() -> None:
    out: dict = {}
    for number, (name, (x, w, args)) in enumerate(CONVOLUTIONS.items()):
        rng = np.random.default_rng(number)
        rank = len(x) - 2
        first, last = (0, rank + 1, *range(1, rank + 1)), (0, *range(2, rank + 2), 1)
        kernel, kernel_back = (rank + 1, rank, *range(rank)), (*range(2, rank + 2), 1, 0)
        # torch's kernel of a transposed convolution, [in, out, *K], is ours [*K, out, in]
        call = getattr(F, f"conv{'_transpose' if name.startswith('transposed') else ''}{rank}d")
        xs, ws = (rng.standard_normal(s).astype("float32") for s in (x, w))
        bias = rng.standard_normal(w[-2 if name.startswith("transposed") else -1]).astype("float32")
        a, k, b = tensor(xs, first), tensor(ws, kernel), torch.tensor(bias.astype("float64"), requires_grad=True)
        y = call(a, k, b, **args)
        cot = rng.standard_normal(tuple(back(y, last).shape)).astype("float32")
        (y * torch.tensor(np.transpose(cot, first).astype("float64"))).sum().backward()
        values = {"x": xs, "w": ws, "b": bias, "cot": cot, "y": back(y, last), "dx": back(a.grad, last),
                  "dw": back(k.grad, kernel_back), "db": b.grad.numpy()}  # fmt: skip
        out.update({f"{name}/{n}": v for n, v in values.items()})
    for number, (name, (x, args)) in enumerate(POOLS.items()):
        rng = np.random.default_rng(100 + number)
        rank = len(x) - 2
        first, last = (0, rank + 1, *range(1, rank + 1)), (0, *range(2, rank + 2), 1)
        xs = np.round(rng.standard_normal(x) * 2).astype("float32")  # many windows of equal values
        a = tensor(xs, first)
        kind = "max" if name.startswith("max") else "avg"
        y = getattr(F, f"{kind}_pool{rank}d")(a, **args)
        cot = rng.standard_normal(tuple(back(y, last).shape)).astype("float32")
        (y * torch.tensor(np.transpose(cot, first).astype("float64"))).sum().backward()
        values = {"x": xs, "cot": cot, "y": back(y, last), "dx": back(a.grad, last)}
        out.update({f"{name}/{n}": v for n, v in values.items()})
    np.savez_compressed(HERE / "torch_conv.npz", **out)


if __name__ == "__main__":
    main()
