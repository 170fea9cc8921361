"""RandomLayer: the base of layers that draw random numbers."""

from __future__ import annotations

import numpy as np

from brisknet.graph.trace import current_graph
from brisknet.layers.layer import Layer, call_context
from brisknet.random import draw_seed
from brisknet.runtime.philox import derive

__all__ = ["RandomLayer"]


class RandomLayer(Layer):
    """A layer with a seed. draw() gives what ops.random needs: the step, which keeps changing, and a key.

    seed   an integer makes the draws repeatable; a SeedGenerator gives one; None: from the global seed
    """

    supports_masking = True

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self._key = draw_seed(seed)
        self._eager_step = 0
        self.built = True

    def draw(self):
        """(step, key) of the draws of this call: another key for each call of the layer within one step."""
        graph, context = current_graph(), call_context()
        if graph is None or context is None or context.model is None:
            self._eager_step += 1
            return np.array(self._eager_step, np.int64), self._key
        calls = graph.__dict__.setdefault("_draws", {})
        number = calls[self] = calls.get(self, -1) + 1
        return context.model._step_counter, derive(self._key, number) if number else self._key

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
