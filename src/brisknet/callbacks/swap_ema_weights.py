"""Evaluation with the averages of the weights."""

from __future__ import annotations

from brisknet.callbacks.base import Callback

__all__ = ["SwapEMAWeights"]


class SwapEMAWeights(Callback):
    """Puts the optimizer's moving averages in the place of the weights while the model is evaluated, as Keras does.

    For an optimizer with use_ema=True; ValueError for any other. Weights and averages change places, so that no memory is
    needed. swap_on_epoch does so from the end of an epoch to the beginning of the next, for callbacks that save weights and
    stand after this one.
    """

    def __init__(self, swap_on_epoch=False):
        super().__init__()
        self.swap_on_epoch = bool(swap_on_epoch)
        self._ema_weights_in_model = False

    def _pairs(self):
        optimizer = self.model.optimizer
        if not getattr(optimizer, "use_ema", False):
            raise ValueError("SwapEMAWeights: an optimizer with use_ema=True expected, got use_ema=False; compile with one")
        if not optimizer.built:
            optimizer.build(self.model.trainable_weights)
        return list(zip(optimizer._trainable_variables, optimizer._model_variables_moving_average, strict=True))

    def _swap(self, into_model: bool) -> None:
        if self._ema_weights_in_model == into_model:
            return
        for weight, average in self._pairs():
            kept = weight.numpy()
            weight.assign(average.numpy())
            average.assign(kept)
        self._ema_weights_in_model = into_model

    def on_train_begin(self, logs=None):
        self._pairs()  # says at once where there are no averages

    def on_epoch_begin(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch, logs=None):
        if not self.swap_on_epoch:
            return
        self._swap(True)
        if epoch == self.params["epochs"] - 1 or self.model.stop_training:
            # fit's end makes the weights the averages: these must be what the model now holds.
            for weight, average in self._pairs():
                average.assign(weight.numpy())

    def on_test_begin(self, logs=None):
        self._swap(True)

    def on_test_end(self, logs=None):
        self._swap(False)

    def on_predict_begin(self, logs=None):
        self._swap(True)

    def on_predict_end(self, logs=None):
        self._swap(False)
