"""What a metric's result() is while a step is traced: its name in the logs, read once the step has run."""

from __future__ import annotations

import functools

from brisknet.graph.trace import current_graph

__all__ = ["Pending", "pending_in_steps"]


class Pending:
    """The result that a metric will have after the step."""

    __slots__ = ("metric",)

    def __init__(self, metric):
        self.metric = metric

    def __repr__(self):
        return f"<result of metric {self.metric.name!r} after the step>"

    def _refuse(self, *args):
        raise TypeError(
            f"the result of metric {self.metric.name!r} is not known while a step is traced: return it from train_step() or "
            "compute_metrics() as it is, and compute with the values that the metric was given"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __neg__ = __float__ = __int__ = __bool__ = __array__ = __lt__ = __gt__ = __le__ = __ge__ = __pow__ = _refuse


def pending_in_steps(result):
    """A metric's result(), which gives a Pending while a step is traced."""

    @functools.wraps(result)
    def traced(self):
        return result(self) if current_graph() is None else Pending(self)

    return traced
