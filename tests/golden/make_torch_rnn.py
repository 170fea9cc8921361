"""Makes torch_rnn.npz with PyTorch: `python -m tests.golden.make_torch_rnn`. In float64; weights in this package's order.

PyTorch's weights are [gates H, F], its GRU's gates lie in the order r z n, ours z r n.
"""

from __future__ import annotations

import numpy as np
import torch

from tests.golden.compare import HERE
from tests.golden.torch_cases import RECURRENT


def ours(value, kind, h):
    """A weight or bias of PyTorch, gates first, with its gates last and in this package's order."""
    order = {"LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2), "RNN": (0,)}[kind]
    value = value.detach().numpy()
    return np.concatenate([value[h * g : h * (g + 1)] for g in order]).T


def main() -> None:
    out: dict = {}
    for number, (name, (kind, b, t, f, h)) in enumerate(RECURRENT.items()):
        torch.manual_seed(number)
        net = getattr(torch.nn, kind)(f, h, batch_first=True)
        net = net.float().double()  # weights that float32 holds exactly
        rng = np.random.default_rng(number)
        draw = lambda *s, rng=rng: rng.standard_normal(s).astype("float32")  # noqa: E731
        x, states = draw(b, t, f), [draw(b, h) for _ in range(2 if kind == "LSTM" else 1)]
        xt = torch.tensor(x.astype("float64"), requires_grad=True)
        st = [torch.tensor(s[None].astype("float64"), requires_grad=True) for s in states]
        ys, last = net(xt, tuple(st) if kind == "LSTM" else st[0])
        last = list(last) if kind == "LSTM" else [last]
        cots = [draw(b, t, h), *(draw(b, h) for _ in last)]
        total = (ys * torch.tensor(cots[0].astype("float64"))).sum()
        for s, c in zip(last, cots[1:], strict=True):
            total = total + (s[0] * torch.tensor(c.astype("float64"))).sum()
        total.backward()
        values = [ys, *(s[0] for s in last)]
        weights = [net.weight_ih_l0, net.weight_hh_l0, net.bias_ih_l0, net.bias_hh_l0]
        found = {"x": [x], "s": states, "w": [ours(w, kind, h) for w in weights], "y": [v.detach().numpy() for v in values],
                 "cot": cots, "dx": [xt.grad.numpy()], "ds": [s.grad[0].numpy() for s in st],
                 "dw": [ours(w.grad, kind, h) for w in weights]}  # fmt: skip
        out.update({f"{name}/{k}{i}": v for k, several in found.items() for i, v in enumerate(several)})
    np.savez_compressed(HERE / "torch_rnn.npz", **out)


if __name__ == "__main__":
    main()
