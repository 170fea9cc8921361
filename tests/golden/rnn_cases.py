"""Recurrent layers as golden cases: T = 1, batches of one, odd sizes, masks with holes and rows that are masked throughout,
initial states, both directions, stateful calls, cells of one's own."""

import numpy as np

# name -> (make, shape of the sequences, options); options: mask, states (sizes of initial states), before (a call before, for
# stateful layers), drops (a call in training, with the draws of draw_drops())
CASES = {}


def case(name, make, shape, **options):
    CASES[name] = (make, shape, options)


def layer(kind, *args, **kwargs):
    return lambda k: getattr(k.layers, kind)(*args, **kwargs)


def draw_mask(rng, shape):
    """Holes in the middle, a row that begins late, one that ends early, one that is masked throughout."""
    mask = rng.random(shape) < 0.7
    for row, value in zip(range(shape[0]), ("late", "early", "never"), strict=False):
        if value == "late":
            mask[row, : shape[1] // 2] = False
        elif value == "early":
            mask[row, -1] = False
            mask[row, 0] = True
        else:
            mask[row] = False
    return mask


def draw_drops(shape, dtype, number: int):
    """Draw `number` of a call: what dropout multiplies ones of a shape with, 0 or 2."""
    return (np.random.default_rng(1000 + number).random(shape) < 0.5).astype(dtype) * 2


def minimal_cell(k, units=3):
    """A cell of one's own, as in Keras' documentation of RNN."""

    class MinimalCell(k.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = self.state_size = units

        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
            self.recurrent_kernel = self.add_weight(shape=(self.units, self.units), initializer="uniform", name="recurrent")
            self.built = True

        def call(self, inputs, states):
            h = k.ops.matmul(inputs, self.kernel)
            output = k.ops.sin(h + k.ops.matmul(states[0], self.recurrent_kernel))
            return output * 2.0, [output]

    return MinimalCell(units)


for _kind in ("LSTM", "GRU", "SimpleRNN"):
    _states = [5, 5] if _kind == "LSTM" else [5]
    _n = _kind.lower()
    case(f"{_n}", layer(_kind, 5), (3, 4, 2))
    case(f"{_n}_one_step", layer(_kind, 4), (2, 1, 3))
    case(f"{_n}_one_row", layer(_kind, 5, return_sequences=True), (1, 6, 3))
    case(f"{_n}_one_of_all", layer(_kind, 1), (1, 1, 1))
    case(f"{_n}_wide", layer(_kind, 17, return_sequences=True, return_state=True), (7, 3, 5))
    case(f"{_n}_no_bias", layer(_kind, 6, use_bias=False), (2, 3, 4))
    case(f"{_n}_backwards", layer(_kind, 5, go_backwards=True, return_sequences=True, return_state=True), (2, 5, 3))
    case(f"{_n}_states", layer(_kind, 5, return_state=True), (3, 4, 2), states=_states)
    case(f"{_n}_masked", layer(_kind, 5, return_sequences=True, return_state=True), (4, 6, 2), mask=True)
    case(f"{_n}_masked_last", layer(_kind, 5), (4, 6, 2), mask=True)
    case(f"{_n}_masked_states", layer(_kind, 5, return_sequences=True), (4, 6, 2), mask=True, states=_states)
    case(f"{_n}_masked_states_last", layer(_kind, 5, return_state=True), (4, 6, 2), mask=True, states=_states)
    case(f"{_n}_masked_backwards", layer(_kind, 5, go_backwards=True), (4, 6, 2), mask=True)
    case(f"{_n}_masked_zero", layer(_kind, 5, zero_output_for_mask=True, return_sequences=True), (4, 6, 2), mask=True)
    case(f"{_n}_stateful", layer(_kind, 5, stateful=True, return_sequences=True), (3, 4, 2), before=True)
    case(f"{_n}_stateful_masked", layer(_kind, 5, stateful=True), (3, 4, 2), before=True, mask=True)
    case(f"{_n}_relu", layer(_kind, 4, activation="relu"), (2, 4, 3))
    case(f"{_n}_relu_masked", layer(_kind, 4, activation="softsign", return_sequences=True), (4, 5, 3), mask=True)
    case(f"{_n}_cell", lambda k, c=_kind: k.layers.RNN(getattr(k.layers, c + "Cell")(4), return_state=True), (2, 3, 2))
    for _mode in ("concat", "sum", "mul", "ave", None):
        case(
            f"bidirectional_{_n}_{_mode}",
            lambda k, c=_kind, m=_mode: k.layers.Bidirectional(getattr(k.layers, c)(3, return_sequences=m != "sum"), m),
            (2, 4, 2),
        )  # fmt: skip
case("lstm_gates", layer("LSTM", 4, recurrent_activation="softsign", activation="relu"), (2, 3, 2))
case("gru_reset_before", layer("GRU", 4, reset_after=False, return_sequences=True), (2, 4, 3))
case("gru_reset_before_masked", layer("GRU", 4, reset_after=False, return_state=True), (4, 6, 3), mask=True, states=[4])
case("gru_gates", layer("GRU", 4, recurrent_activation="softsign"), (2, 3, 2))
case("simple_rnn_linear", layer("SimpleRNN", 4, activation="linear"), (2, 3, 2))
case("simple_rnn_sigmoid", layer("SimpleRNN", 4, activation="sigmoid"), (2, 3, 2))
case("own_cell", lambda k: k.layers.RNN(minimal_cell(k), return_sequences=True, return_state=True), (2, 4, 3))
case("own_cell_masked", lambda k: k.layers.RNN(minimal_cell(k), return_sequences=True), (4, 5, 3), mask=True, states=[3])
case("own_cell_masked_last", lambda k: k.layers.RNN(minimal_cell(k), return_state=True), (4, 5, 3), mask=True)
case("own_cell_masked_zero", lambda k: k.layers.RNN(minimal_cell(k), zero_output_for_mask=True, return_sequences=True), (4, 5, 3), mask=True)
case("stacked", lambda k: k.layers.RNN([k.layers.LSTMCell(3), k.layers.LSTMCell(4)], return_sequences=True), (2, 4, 3))
case("stacked_masked", lambda k: k.layers.RNN([k.layers.LSTMCell(3), k.layers.LSTMCell(2)]), (4, 5, 3), mask=True)
case("stacked_own", lambda k: k.layers.RNN([k.layers.GRUCell(3), minimal_cell(k, 2)], return_sequences=True), (2, 4, 3))
case("bidirectional_masked", lambda k: k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True)), (4, 6, 2), mask=True)
case("bidirectional_masked_last", lambda k: k.layers.Bidirectional(k.layers.GRU(3)), (4, 6, 2), mask=True)
case("bidirectional_states", lambda k: k.layers.Bidirectional(k.layers.LSTM(3, return_state=True)), (2, 4, 2), states=[3] * 4)
case("time_distributed", lambda k: k.layers.TimeDistributed(k.layers.Dense(4, activation="relu")), (2, 3, 5))
case("time_distributed_conv", lambda k: k.layers.TimeDistributed(k.layers.Conv1D(2, 2)), (2, 3, 5, 2))
case("time_distributed_norm", lambda k: k.layers.TimeDistributed(k.layers.LayerNormalization()), (2, 3, 5))
case("time_distributed_lstm", lambda k: k.layers.TimeDistributed(k.layers.LSTM(3)), (2, 3, 4, 2))

# Odd sizes, draws of dropout and states across calls, of every kind of layer; own names, so that the numbers above stay.
_KINDS = {
    "lstm": lambda *a, **o: layer("LSTM", *a, **o), "gru": lambda *a, **o: layer("GRU", *a, **o),
    "simple_rnn": lambda *a, **o: layer("SimpleRNN", *a, **o),
    "gru_before": lambda *a, **o: layer("GRU", *a, reset_after=False, **o),
}  # fmt: skip
for _n, _make in _KINDS.items():
    _all = {"return_sequences": True, "return_state": True}
    case(f"{_n}_odd", _make(7, **_all), (3, 13, 7), mask=True, states=[7, 7] if _n == "lstm" else [7])
    case(f"{_n}_stateful_backwards", _make(7, stateful=True, go_backwards=True, **_all), (1, 5, 3), before=True, mask=True)
    case(f"{_n}_stateful_one_of_all", _make(1, stateful=True, return_state=True), (1, 1, 1), before=True)
    case(f"{_n}_drops", _make(4, dropout=0.5, recurrent_dropout=0.5, return_sequences=True), (3, 5, 2), drops=True)
    case(f"{_n}_drops_state", _make(7, recurrent_dropout=0.5), (2, 4, 3), drops=True)
    case(f"{_n}_drops_inputs", _make(7, dropout=0.5, return_sequences=True), (2, 4, 3), drops=True)
    case(f"{_n}_drops_masked", _make(3, dropout=0.5, recurrent_dropout=0.5, **_all), (4, 6, 2), drops=True, mask=True)
    case(f"{_n}_drops_no_bias", _make(3, use_bias=False, recurrent_dropout=0.5), (1, 3, 2), drops=True)
    case(
        f"bidirectional_{_n}_masked",
        lambda k, m=_make: k.layers.Bidirectional(m(3, return_sequences=True)(k), merge_mode="sum"), (4, 6, 2), mask=True,
    )  # fmt: skip
    case(f"steps_of_{_n}", lambda k, m=_make: k.layers.TimeDistributed(m(3)(k)), (2, 2, 3, 2))
case("gru_before_one_row", layer("GRU", 7, reset_after=False, return_sequences=True), (1, 6, 3))
case("gru_before_backwards", layer("GRU", 5, reset_after=False, go_backwards=True, return_sequences=True), (2, 5, 3))
case("bidirectional_one_step", lambda k: k.layers.Bidirectional(k.layers.LSTM(3, return_state=True), None), (1, 1, 2))
case("own_cell_backwards", lambda k: k.layers.RNN(minimal_cell(k), go_backwards=True, return_state=True), (4, 5, 3), mask=True)
case("own_cell_stateful", lambda k: k.layers.RNN(minimal_cell(k), stateful=True, return_sequences=True), (2, 3, 3), before=True)
case("own_cell_one_of_all", lambda k: k.layers.RNN(minimal_cell(k, 1), return_state=True), (1, 1, 1))
case("stacked_states", lambda k: k.layers.RNN([k.layers.GRUCell(3), k.layers.SimpleRNNCell(7)], return_state=True), (2, 13, 3))
case("time_distributed_masked", lambda k: k.layers.TimeDistributed(k.layers.Dense(4)), (3, 5, 2), mask=True)

CONFIGS = {
    "lstm": layer("LSTM", 3), "gru": layer("GRU", 3), "simple_rnn": layer("SimpleRNN", 3),
    "lstm_full": layer(
        "LSTM", 4, activation="relu", recurrent_activation="hard_sigmoid", use_bias=False, unit_forget_bias=False,
        dropout=0.25, recurrent_dropout=0.5, return_sequences=True, return_state=True, go_backwards=True, stateful=True,
        unroll=True, seed=3, kernel_regularizer="l2", recurrent_constraint="max_norm",
    ),
    "gru_full": layer("GRU", 4, reset_after=False, bias_initializer="ones", activity_regularizer="l1"),
    "lstm_cell": layer("LSTMCell", 3), "gru_cell": layer("GRUCell", 3), "simple_rnn_cell": layer("SimpleRNNCell", 3),
    "rnn": lambda k: k.layers.RNN(k.layers.GRUCell(2), zero_output_for_mask=True),
    "stacked": lambda k: k.layers.StackedRNNCells([k.layers.LSTMCell(2), k.layers.GRUCell(3)]),
    "bidirectional": lambda k: k.layers.Bidirectional(k.layers.GRU(2), merge_mode="ave"),
    "time_distributed": lambda k: k.layers.TimeDistributed(k.layers.Dense(2)), "masking": layer("Masking", 2.0),
}  # fmt: skip


def numbers(case_number: int, shape, options):
    """(rng, sequences, the sequences of the call before or None, initial states, mask or None)."""
    rng = np.random.default_rng(case_number)
    draw = lambda s: rng.standard_normal(s).astype(np.float32)  # noqa: E731
    x = draw(shape)
    before = draw(shape) if options.get("before") else None
    states = [draw((shape[0], n)) for n in options.get("states", ())]
    mask = draw_mask(rng, shape[:2]) if options.get("mask") else None
    return rng, x, before, states, mask


SAVED_X = np.random.default_rng(9).normal(size=(4, 5, 2)).astype(np.float32)
SAVED_X[0, 2:] = SAVED_X[1, :3] = 0.0


def saved_model(k):
    """A model in which masks, states, both directions and cells of several kinds meet."""
    i = k.Input((5, 2))
    y, h, _ = k.layers.LSTM(3, return_sequences=True, return_state=True)(k.layers.Masking()(i))
    both = k.layers.Bidirectional(k.layers.GRU(2))(y)
    steps = k.layers.SimpleRNN(2)(k.layers.TimeDistributed(k.layers.Dense(2))(y))
    cells = k.layers.RNN([k.layers.GRUCell(2), k.layers.LSTMCell(3)])(y)
    return k.Model(i, k.layers.Dense(1)(k.layers.Concatenate()([both, h, steps, cells])))
