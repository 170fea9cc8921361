"""Makes torch_rnn.npz, torch_rnn_options.npz and torch_multi_head.npz with PyTorch: `python -m tests.golden.make_torch_rnn`.

In float64; weights in this package's order.

PyTorch's weights are [gates H, F], its GRU's gates lie in the order r z n, ours z r n.
"""

from __future__ import annotations

import numpy as np
import torch

from tests.golden.compare import HERE
from tests.golden.torch_cases import MULTI_HEAD, RECURRENT, RECURRENT_OPTIONS, row_mask


def ours(value, kind, h):
    """A weight or bias of PyTorch, gates first, with its gates last and in this package's order."""
    order = {"LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2), "RNN": (0,)}[kind]
    value = value.detach().numpy()
    return np.concatenate([value[h * g : h * (g + 1)] for g in order]).T


def _leaf(a):
    return torch.tensor(a.astype("float64"), requires_grad=True)


def run(net, x, lengths, states):
    """(all outputs, last states as a list) of a recurrent net, on packed rows where there are lengths."""
    if lengths is not None:
        x = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    ys, last = net(x, states)
    if lengths is not None:
        ys, _ = torch.nn.utils.rnn.pad_packed_sequence(ys, batch_first=True, total_length=max(lengths))
    return ys, list(last) if isinstance(last, tuple) else [last]


def options() -> dict:
    """Rows of several lengths, sequences backwards, states of a call before, both directions."""
    out: dict = {}
    for number, (name, (kind, b, t, f, h, given)) in enumerate(RECURRENT_OPTIONS.items()):
        torch.manual_seed(number)
        net = getattr(torch.nn, kind)(f, h, batch_first=True, bidirectional=given.get("two_ways", False)).float().double()
        rng = np.random.default_rng(number)
        draw = lambda *s, rng=rng: rng.standard_normal(s).astype("float32")  # noqa: E731
        x, before, lengths = draw(b, t, f), draw(b, t, f), given.get("lengths")
        t = max(lengths) if lengths else t
        x, before = x[:, :t], before[:, :t]
        states = None
        if given.get("before"):
            with torch.no_grad():
                _, last = run(net, torch.tensor(before.astype("float64")), lengths, None)
            states = tuple(last) if kind == "LSTM" else last[0]
        xt = _leaf(x)
        turned = xt
        if given.get("backwards"):  # the rows' steps from their end: padding stays behind
            ends = lengths or (t,) * b
            turned = torch.stack([torch.cat([row[:n].flip(0), row[n:]]) for row, n in zip(xt, ends, strict=True)])
        ys, last = run(net, turned, lengths, states)
        values = [ys, *(torch.cat(list(s), -1) for s in last)]  # of both directions side by side
        cots = [draw(*v.shape) for v in values]
        sum((v * torch.tensor(c.astype("float64"))).sum() for v, c in zip(values, cots, strict=True)).backward()
        ends = ("", "_reverse") if given.get("two_ways") else ("",)
        weights = [getattr(net, f"{w}_l0{end}") for end in ends for w in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        found = {"x": [x], "before": [before], "w": [ours(w, kind, h) for w in weights],
                 "y": [v.detach().numpy() for v in values], "cot": cots, "dx": [xt.grad.numpy()],
                 "dw": [ours(w.grad, kind, h) for w in weights]}  # fmt: skip
        out.update({f"{name}/{k}{i}": v for k, several in found.items() for i, v in enumerate(several)})
    return out


def multi_head() -> dict:
    """nn.MultiheadAttention; its weights as MultiHeadAttention has them, kernels [width, heads, size] and biases [heads, size]."""
    out: dict = {}
    for number, (name, (b, t, s, width, heads, given)) in enumerate(MULTI_HEAD.items()):
        torch.manual_seed(number)
        net = torch.nn.MultiheadAttention(width, heads, batch_first=True).float().double()
        rng = np.random.default_rng(number)
        draw = lambda *s, rng=rng: rng.standard_normal(s).astype("float32")  # noqa: E731
        for p in net.parameters():
            p.data = torch.tensor(0.5 * draw(*p.shape)).double()
        xs = [draw(b, t, width), draw(b, s, width)] if given.get("cross") else [draw(b, t, width)]
        leaves = [_leaf(x) for x in xs]
        hidden = torch.triu(torch.ones(t, s, dtype=torch.bool), 1) if given.get("causal") else None
        padding = torch.tensor(~row_mask(given["lengths"], s)) if "lengths" in given else None
        y, scores = net(
            leaves[0], leaves[-1], leaves[-1], key_padding_mask=padding, attn_mask=hidden, average_attn_weights=False
        )  # fmt: skip
        values = [y, scores] if given.get("scores") else [y]
        cots = [draw(*v.shape) for v in values]
        sum((v * torch.tensor(c.astype("float64"))).sum() for v, c in zip(values, cots, strict=True)).backward()

        def split(weight, bias, heads=heads, width=width):
            found = []
            for w, c in zip(weight.chunk(3), bias.chunk(3), strict=True):
                found += [w.T.reshape(width, heads, -1), c.reshape(heads, -1)]
            return [v.detach().numpy() for v in found]

        def joined(proj, width=width, heads=heads):
            return [proj[0].T.reshape(heads, -1, width).detach().numpy(), proj[1].detach().numpy()]

        last = net.out_proj.weight, net.out_proj.bias
        found = {"x": xs, "w": split(net.in_proj_weight, net.in_proj_bias) + joined(last),
                 "y": [v.detach().numpy() for v in values], "cot": cots, "dx": [v.grad.numpy() for v in leaves],
                 "dw": split(net.in_proj_weight.grad, net.in_proj_bias.grad) + joined([v.grad for v in last])}  # fmt: skip
        out.update({f"{name}/{k}{i}": v for k, several in found.items() for i, v in enumerate(several)})
    return out


def main() -> None:
    np.savez_compressed(HERE / "torch_rnn_options.npz", **options())
    np.savez_compressed(HERE / "torch_multi_head.npz", **multi_head())
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
