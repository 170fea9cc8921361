"""The native executor as a whole: same bits whatever runs it, planner, threads, signals, forks, memory."""

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import brisknet as bn
from brisknet import config
from brisknet.layers import Add, BatchNormalization, Dense, Dropout, Input
from brisknet.models import Model, Sequential

pytestmark = pytest.mark.skipif(not config.native_available(), reason="the pure-Python package has no kernels")
if config.native_available():
    from brisknet import _core


@pytest.fixture(autouse=True)
def native():
    before = config.backend()
    config.set_backend("native")
    yield
    config.set_num_threads(0)
    config.set_backend(before)


def data(rows=200, features=20, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, features)).astype(np.float32)
    return x, (x[:, 0] > 0).astype(np.int64)


def net(features=20, width=64):
    """Every kind of instruction that a dense model has: dropout, batch norm, a shortcut, penalties, several losses."""
    x = Input((features,))
    h = Dense(width, activation="relu", kernel_regularizer="l1_l2")(x)
    h = Dropout(0.3)(h)
    h = BatchNormalization()(h)
    h = Add()([h, Dense(width, activation="tanh")(h)])
    out = Dense(1, activation="sigmoid")(h)
    model = Model(x, out)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def trained(epochs=2, rows=200, **kwargs):
    bn.utils.set_random_seed(7)
    model = net(**kwargs)
    x, y = data(rows, model.inputs[0].shape[1])
    history = model.fit(x, y, epochs=epochs, batch_size=32, verbose=0)
    assert {p.executor for p in model._programs.values()} == {"native"}
    return model, history.history


def same_bits(a, b):
    return all(np.array_equal(u, v) for u, v in zip(a.get_weights(), b.get_weights(), strict=True))


# ---- the same bits ------------------------------------------------------------------------------------------------------
def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    monkeypatch.setenv("BRISKNET_THREAD_FLOPS", "0")  # threads even for this small model
    results = []
    for threads in (1, 2, 3, 4, 7):
        config.set_num_threads(threads)
        model, history = trained(width=150, features=70)
        programs = [p._program.threads for p in model._programs.values()]
        assert programs == [threads] * len(programs)
        results.append((model, history))
    assert all(same_bits(results[0][0], m) and h == results[0][1] for m, h in results[1:])


def test_planner_off_with_poisoned_memory_gives_the_same_bits(monkeypatch):
    planned, history = trained()
    monkeypatch.setenv("BRISKNET_PLANNER", "off")
    private, other = trained()
    assert all(p.plan.poison for p in private._programs.values())
    assert same_bits(planned, private) and history == other


def test_stepwise_and_in_bulk_give_the_same_bits():
    bulk, history = trained(epochs=4)
    bn.utils.set_random_seed(7)
    model = net()
    x, y = data()
    seen = []
    hook = bn.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    other = model.fit(x, y, epochs=4, batch_size=32, verbose=0, callbacks=[hook]).history
    assert len(seen) == 28 and same_bits(bulk, model) and history == other


def test_a_fit_goes_on_from_a_pickled_model_with_the_same_bits():
    x, y = data()
    model, _ = trained(epochs=1)
    twin = pickle.loads(pickle.dumps(model))
    for m in (model, twin):
        m.fit(x, y, epochs=2, batch_size=32, verbose=0, shuffle=False)
    assert same_bits(model, twin)


def test_native_training_follows_the_reference():
    histories = {}
    for name in ("numpy", "native"):
        config.set_backend(name)
        bn.utils.set_random_seed(7)
        model = net()
        x, y = data()
        histories[name] = model.fit(x, y, epochs=3, batch_size=32, verbose=0).history, model.get_weights()
    for key, values in histories["numpy"][0].items():
        np.testing.assert_allclose(histories["native"][0][key], values, rtol=2e-4, err_msg=key)
    for a, b in zip(histories["numpy"][1], histories["native"][1], strict=True):
        np.testing.assert_allclose(a, b, atol=2e-4)


# ---- memory plans -------------------------------------------------------------------------------------------------------
def test_no_two_live_buffers_overlap():
    from brisknet.passes.lower.plan import Buf

    model, _ = trained(epochs=1)
    for program in model._programs.values():
        plan, lives = program.plan, {}
        for i, instruction in enumerate(plan.instructions):
            for ref, _ in instruction.refs():
                if isinstance(ref.base, Buf):
                    lives.setdefault(ref.base, [i, i])[1] = i
        spans = [(b.offset, b.offset + b.nbytes, first, last) for b, (first, last) in lives.items()]
        assert max(s[1] for s in spans) <= plan.arena_bytes
        for k, (a0, a1, af, al) in enumerate(spans):
            for b0, b1, bf, bl in spans[:k]:
                # touching in time is allowed where one instruction replaces its input in place
                assert a1 <= b0 or b1 <= a0 or af >= bl or bf >= al, "two buffers share memory while both are needed"
        assert plan.arena_bytes < sum(s[1] - s[0] + 128 for s in spans)


def test_two_programs_may_move_a_shared_weight_between_layouts():
    x = Input((6,))
    layer = Dense(5)
    whole = Model(x, layer(x))
    rows = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    kernel = Model(x, x)  # has no dense layer: the weight is untouched by it
    before = whole(rows)
    whole.compile("sgd", "mse")
    whole.fit(rows, np.zeros((4, 5)), epochs=1, verbose=0)
    assert layer.kernel.layout == "panel" and kernel(rows).shape == (4, 6)
    w = layer.get_weights()
    np.testing.assert_allclose(whole(rows), rows @ w[0] + w[1], rtol=1e-5, atol=1e-6)
    assert not np.array_equal(before, whole(rows))


# ---- calls --------------------------------------------------------------------------------------------------------------
def test_a_call_is_the_current_weights_after_every_change():
    model, _ = trained(epochs=1)
    x, _ = data(3)
    first = model(x)
    assert model._fast is not None
    weights = model.get_weights()
    model.set_weights([w * 0 for w in weights])
    assert np.allclose(model(x), 0.5)
    model.set_weights(weights)
    assert np.array_equal(model(x), first)
    config.set_backend("numpy")
    np.testing.assert_allclose(model(x), first, rtol=1e-5)
    config.set_backend("native")
    assert np.array_equal(model(x), first)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int8", "int64", "uint8", "bool"])
def test_inputs_of_any_number_type(dtype):
    model, _ = trained(epochs=1)
    x = np.random.default_rng(0).integers(0, 2, (5, 20)).astype(dtype)
    np.testing.assert_array_equal(model.predict(x), model.predict(x.astype(np.float32)))
    np.testing.assert_array_equal(model(x), model(x.astype(np.float32)))


def test_unaligned_strided_and_read_only_inputs():
    model, _ = trained(epochs=1)
    x, _ = data(6)
    expected = model(x)
    raw = np.zeros(x.nbytes + 1, np.uint8)
    unaligned = raw[1:].view(np.float32).reshape(x.shape)
    unaligned[...] = x
    strided = np.zeros((6, 40), np.float32)[:, ::2]
    strided[...] = x
    frozen = x.copy()
    frozen.setflags(write=False)
    for a in (unaligned, strided, frozen, np.asfortranarray(x)):
        assert np.array_equal(model(a), expected) and np.array_equal(model.predict(a), expected)


def test_threads_predict_at_once():
    model, _ = trained(epochs=1)
    x, _ = data(64)
    expected = [model.predict(x[:n]) for n in (1, 7, 64)]
    wrong = []

    def work():
        for _ in range(300):
            for n, e in zip((1, 7, 64), expected, strict=True):
                if not (np.array_equal(model.predict(x[:n]), e) and np.array_equal(model(x[:n]), e)):
                    wrong.append(n)

    threads = [threading.Thread(target=work) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert wrong == []


def test_two_threads_fit_two_models_with_the_same_result_as_alone():
    alone, _ = trained(epochs=3)
    models = []
    for _ in range(2):
        bn.utils.set_random_seed(7)
        models.append(net())
    x, y = data()
    threads = [threading.Thread(target=lambda m=m: m.fit(x, y, epochs=3, batch_size=32, verbose=0)) for m in models]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert all(same_bits(alone, m) for m in models)


def test_a_second_fit_of_one_model_at_once_is_an_error():
    model, _ = trained(epochs=1)
    x, y = data()
    caught = []

    def second(batch, logs):
        thread = threading.Thread(target=lambda: caught.append(pytest.raises(RuntimeError, model.fit, x, y, verbose=0)))
        thread.start()
        thread.join()

    model.fit(x, y, verbose=0, callbacks=[bn.callbacks.LambdaCallback(on_train_batch_begin=second)])
    assert caught and all("another thread" in str(c.value) for c in caught)


# ---- signals, forks -----------------------------------------------------------------------------------------------------
def test_ctrl_c_answers_at_once_and_leaves_whole_steps():
    # a job in the background starts with SIGINT ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        interrupt_a_fit()
    finally:
        signal.signal(signal.SIGINT, before)


def interrupt_a_fit():
    bn.utils.set_random_seed(7)
    model = net()
    x, y = data(2000)
    model.fit(x, y, epochs=1, verbose=0)
    sent = []

    def interrupt():
        time.sleep(0.3)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=10**5, verbose=0)
    waited = time.perf_counter() - sent[0]
    thread.join()
    assert waited < 2.0  # benchmarks hold the real figure; this only tells an answer from none
    steps = int(model.optimizer.iterations.numpy())
    assert steps > 63 and all(np.isfinite(w).all() for w in model.get_weights())
    assert np.isfinite(model.fit(x, y, epochs=1, verbose=0).history["loss"][0])
    assert int(model.optimizer.iterations.numpy()) == steps + 63


FORKED = """
import os, sys, numpy as np, brisknet as bn
from brisknet.layers import Dense, Input
from brisknet.models import Sequential
bn.config.set_num_threads(2)
m = Sequential([Input((64,)), Dense(256, activation="relu"), Dense(10)])
m.compile("adam", "mse")
x = np.random.default_rng(0).normal(size=(512, 64)).astype("float32")
y = np.zeros((512, 10), "float32")
m.fit(x, y, batch_size=256, verbose=0)
assert max(p._program.threads for p in m._programs.values()) == 2
for _ in range(5):
    child = os.fork()
    if child == 0:
        m.fit(x, y, batch_size=256, verbose=0)
        os._exit(0 if np.isfinite(m.predict(x)).all() else 1)
    assert os.waitpid(child, 0)[1] == 0
    m.fit(x, y, batch_size=256, verbose=0)
print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_children_train_after_threaded_training():
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "BRISKNET_BACKEND": "native"},
    )  # fmt: skip
    assert out.stdout.strip() == "done", out.stderr


# ---- memory -------------------------------------------------------------------------------------------------------------
def test_nothing_is_left_of_dropped_models():
    def round_trip():
        model, _ = trained(epochs=1, rows=64)
        model.predict(data(5)[0])

    round_trip()
    gc.collect()
    before = _core.allocated()
    for _ in range(5):
        round_trip()
    gc.collect()
    assert _core.allocated() <= before


def test_every_failing_allocation_is_a_memory_error_and_the_model_still_works():
    x, y = data(70)
    failures = 0
    for nth in range(200):
        bn.utils.set_random_seed(7)
        model = net()
        _core.fail_allocation(nth)
        try:
            model.fit(x, y, epochs=1, batch_size=32, verbose=0)
            model.predict(x[:3])
            done = True
        except MemoryError as error:
            assert "memory" in str(error)
            done, failures = False, failures + 1
        finally:
            _core.fail_allocation(-1)
        model.fit(x, y, epochs=1, batch_size=32, verbose=0)
        assert np.isfinite(model.predict(x)).all()
        if done:
            break
    assert done and failures > 10


def test_denormals_and_rounding_of_the_caller_are_left_alone():
    tiny = np.array([1e-40], np.float32)
    trained(epochs=1)
    assert (tiny * np.float32(1.0))[0] == tiny[0] != 0


# ---- falling back is never silent ---------------------------------------------------------------------------------------
def test_a_step_without_kernels_says_so():
    from brisknet import ops

    class Odd(bn.layers.Layer):
        def call(self, x):
            wide = ops.cast(x, "int64")
            return x + ops.cast(wide + wide, "float32")

    model = Sequential([Input((3,)), Odd()])
    with pytest.warns(RuntimeWarning, match="NumPy reference executor.*int64"):
        out = model.predict(np.ones((2, 3), np.float32))
    np.testing.assert_array_equal(out, np.full((2, 3), 3.0))


def test_a_program_shows_its_instructions_and_where_the_time_goes():
    model, _ = trained(epochs=1)
    x, y = data()
    program = next(p for key, p in model._programs.items() if key[0] == "train")
    with program.timed() as seconds:
        model.fit(x, y, epochs=1, batch_size=32, verbose=0)
    assert len(seconds) == len(program.plan.instructions) and (seconds >= 0).all() and seconds.sum() > 0
    before = seconds.copy()
    model.fit(x, y, epochs=1, batch_size=32, verbose=0)
    assert np.array_equal(before, seconds)  # timing has ended
    text = program.show(seconds)
    assert text.count("\n") == len(seconds) - 1 and "adam_update" in text and "dense_forward" in text and " %" in text


def test_the_kernels_of_any_instruction_set_train_the_same():
    weights = {}
    chosen = _core.isa()
    try:
        for name in _core.isas():
            _core.set_isa(name)
            weights[name] = trained()[0].get_weights()
    finally:
        _core.set_isa(chosen)
    first, *others = weights.values()
    for other in others:
        for a, b in zip(first, other, strict=True):
            np.testing.assert_allclose(a, b, atol=2e-4)
