"""L-BFGS for training on full batches."""

from __future__ import annotations

from collections import deque

import numpy as np

from brisknet.graph.trace import current_graph
from brisknet.ops.metric import count_step
from brisknet.optimizers.arguments import check_number, check_steps
from brisknet.optimizers.optimizer import Optimizer
from brisknet.optimizers.wolfe import strong_wolfe

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Limited-memory BFGS with a strong Wolfe line search (Nocedal & Wright 2006, algorithm 7.5). Beyond Keras.

    It works with compile() and fit(): an epoch is one iteration, which evaluates loss and gradient on all rows once and then
    again for each step that the line search tries (mostly one). fit() gives it the whole data as one batch; a batch_size below
    the number of rows is an error. Draws of dropout are the same within an iteration. fit() ends early where the gradient
    or the step has become so small that nothing more is to be won (`converged`).

    learning_rate     of the first step that is tried, once there is a history
    history_size      pairs of steps and gradient changes that are kept; they are not saved with the optimizer
    max_line_search   evaluations that one line search may take
    tolerance_grad    ends where no component of the gradient is larger
    tolerance_change  ends where no component of the step is larger
    """

    full_batch = True

    def __init__(self, learning_rate=1.0, history_size=10, max_line_search=25, tolerance_grad=1e-7, tolerance_change=1e-9,
                 name=None, **kwargs):  # fmt: skip
        if kwargs:
            raise ValueError(
                f"LBFGS: unknown argument(s) {sorted(kwargs)}; it has no clipping, no averages and no weight decay: put "
                "penalties into the loss by regularizers"
            )
        super().__init__(check_number(learning_rate, "learning_rate", closed=False), name=name)
        self.history_size = check_steps(history_size, "history_size", 1)
        self.max_line_search = check_steps(max_line_search, "max_line_search", 1)
        self.tolerance_grad = check_number(tolerance_grad, "tolerance_grad")
        self.tolerance_change = check_number(tolerance_change, "tolerance_change")
        self.converged = False
        self._forget()

    def _forget(self) -> None:
        self._pairs: deque = deque(maxlen=self.history_size)  # (step, change of gradient, 1 / their product)
        self._last = None  # weights and gradient after the last iteration

    # ---- what is traced -----------------------------------------------------------------------------------------
    def build(self, variables):
        made = self.built
        bound = [v.path for v in variables if v.constraint is not None]
        if bound:
            raise ValueError(f"LBFGS can't keep the constraints of {bound}: use another optimizer, or no constraints")
        super().build(variables)
        if not made:
            self._gradients = self.add_optimizer_variables(self._trainable_variables, "gradient")
            self._loss = self.add_variable((), name="loss")

    def observe(self, loss) -> None:
        """The loss of the step that is being traced."""
        self._observed = loss

    def apply(self, grads, trainable_variables=None):
        """Part of a traced step: the gradients are kept, and the weights moved between evaluations of the step."""
        loss = getattr(self, "_observed", None)
        if current_graph() is None or loss is None:
            raise ValueError(
                "LBFGS evaluates the loss several times an iteration and so can't apply gradients that were computed "
                "elsewhere: use it with model.compile() and fit()"
            )
        del self._observed
        variables = list(self._trainable_variables if trainable_variables is None else trainable_variables)
        self.build(variables)
        for v, g in zip(variables, grads, strict=True):
            slot = self._gradients[self._places[v.id]]
            slot.assign(np.zeros(v.shape, v.dtype) if g is None else g)
        self._loss.assign(loss)
        self._iterations.assign(count_step(self._iterations, 1))

    def wrap(self, program):
        """A program whose run() is one iteration, made of runs of a traced step."""
        return FullBatchProgram(self, program)

    # ---- one iteration ------------------------------------------------------------------------------------------
    def iterate(self, evaluate, weights: np.ndarray):
        """The weights after one iteration. evaluate(weights) -> (loss, gradient), float64 vectors."""
        self.converged = False
        f, g = evaluate(weights)
        if self._last is not None and not np.array_equal(self._last[0], weights):
            self._forget()  # somebody has set the weights: past curvature says nothing here
        if np.abs(g).max(initial=0.0) <= self.tolerance_grad or not np.isfinite(f):
            self.converged = bool(np.isfinite(f))
            return weights
        direction = -self._times_inverse(g)
        slope = float(direction @ g)
        if not slope < 0:
            self._forget()
            direction, slope = -g, -float(g @ g)
        first = float(self.learning_rate)
        if not self._pairs:  # no curvature is known yet: a step of length one at most
            first *= min(1.0, 1.0 / float(np.abs(g).sum()))

        def phi(step):
            moved = self._rounded(weights + step * direction)
            value, gradient = evaluate(moved)
            return value, float(gradient @ direction), moved, gradient

        noise = 4 * float(np.finfo(self._dtype).eps) * abs(f)
        found = strong_wolfe(phi, f, slope, first, most=self.max_line_search, noise=noise)
        if found is None:
            if not self._pairs:  # even steepest descent finds nothing lower
                self.converged = True
                return weights
            self._forget()
            return weights
        moved, gradient = found[1][2:]
        self._remember(moved - weights, gradient - g)
        self._last = moved.copy(), gradient
        self.converged = bool(np.abs(moved - weights).max() <= self.tolerance_change)
        return moved

    def _rounded(self, weights):
        """Weights as the variables can hold them."""
        return weights.astype(self._dtype).astype(np.float64)

    def _remember(self, step, change) -> None:
        product = float(step @ change)
        if product > 1e-10 * float(change @ change):
            self._pairs.append((step, change, 1.0 / product))

    def _times_inverse(self, g):
        """The two loops: the inverse Hessian's estimate times g."""
        q, factors = g.copy(), []
        for s, y, rho in reversed(self._pairs):
            a = rho * float(s @ q)
            q -= a * y
            factors.append(a)
        if self._pairs:
            s, y, rho = self._pairs[-1]
            q *= 1.0 / (rho * float(y @ y))
        for (s, y, rho), a in zip(self._pairs, reversed(factors), strict=True):
            q += (a - rho * float(y @ q)) * s
        return q

    def get_config(self):
        config = {k: v for k, v in super().get_config().items() if k in ("name", "learning_rate")}
        names = ("history_size", "max_line_search", "tolerance_grad", "tolerance_change")
        return {**config, **{n: getattr(self, n) for n in names}}


class FullBatchProgram:
    """Runs a traced step (loss and gradients, nothing moved) as often as an iteration needs it.

    Metrics, moving statistics and counters take the values that the first evaluation gives them, so that logs are of the
    weights before the iteration, as they are for every optimizer.
    """

    executor = "numpy"  # a step at a time: Python decides between evaluations

    def __init__(self, optimizer: LBFGS, program):
        self.optimizer, self.program, self.graph = optimizer, program, program.graph
        moved = {*optimizer._trainable_variables, *optimizer._gradients, optimizer._loss}
        self._others = [v for v in self.graph.updates if v not in moved]
        own = [v for v in optimizer._trainable_variables if optimizer._gradients[optimizer._places[v.id]] in self.graph.updates]
        self._weights = own
        self._slots = [optimizer._gradients[optimizer._places[v.id]] for v in own]

    def run(self, feeds) -> list:
        """One iteration; the outputs of its first evaluation."""
        before, after, outputs = [v.numpy() for v in self._others], None, None

        def evaluate(weights):
            nonlocal after, outputs
            _store(self._weights, weights)
            _restore(self._others, before)
            got = self.program.run(feeds)
            if after is None:
                after, outputs = [v.numpy() for v in self._others], got
            return float(self.optimizer._loss.storage), _flat(self._slots)

        final = self.optimizer.iterate(evaluate, _flat(self._weights))
        _store(self._weights, final)
        _restore(self._others, after)
        return outputs


def _flat(variables) -> np.ndarray:
    return np.concatenate([v.array().reshape(-1) for v in variables]).astype(np.float64)


def _store(variables, flat) -> None:
    at = 0
    for v in variables:
        v.store(flat[at : at + v.size].reshape(v.shape).astype(v.dtype))
        at += v.size


def _restore(variables, values) -> None:
    for v, value in zip(variables, values, strict=True):
        v.store(value)
