"""Bad calls of models: files, configs, clones, steps of one's own, structures."""

from brisknet import saving
from brisknet.layers import Dense, Input
from brisknet.models import Sequential, clone_model, load_model, model_from_json
from tests.bad_calls import binary, case, deferred, two, uncompiled

# ---- files --------------------------------------------------------------------------------------------------------------
case("save-weights-name", binary, lambda m, x, y: m.save_weights("weights.txt"), ValueError,
     "weights are kept in files named ....npz", "got 'weights.txt'")
case("save-weights-number", binary, lambda m, x, y: m.save_weights(3), TypeError, "int")
case("save-weights-shards", binary, lambda m, x, y: m.save_weights("w.npz", max_shard_size=1), ValueError,
     "max_shard_size", "always one file", "got 1")
case("save-weights-unbuilt", deferred, lambda m, x, y: m.save_weights("w.npz"), ValueError,
     "is not built yet", "before save_weights()")
case("load-weights-missing", binary, lambda m, x, y: m.load_weights("no such file.npz"), FileNotFoundError,
     "no file 'no such file.npz'")
case("load-weights-unbuilt", deferred, lambda m, x, y: m.load_weights("w.npz"), ValueError,
     "is not built yet", "before load_weights()")
case("save-model-name", binary, lambda m, x, y: m.save("folder/model"), ValueError,
     "models are kept in files named ....npz", "got 'folder/model'")
case("save-model-unbuilt", deferred, lambda m, x, y: m.save("m.npz"), ValueError, "is not built yet")
case("save-model-unzipped", binary, lambda m, x, y: m.save("m.npz", zipped=False), ValueError, "zipped=False", "one file")
case("load-model-name", binary, lambda m, x, y: load_model("model.pkl"), ValueError, "....npz, or ....keras", "got 'model.pkl'")
case("load-model-missing", binary, lambda m, x, y: load_model("nothing.npz"), FileNotFoundError, "no file 'nothing.npz'")

# ---- configs ------------------------------------------------------------------------------------------------------------
case("json-broken", binary, lambda m, x, y: model_from_json("{"), ValueError, "model_from_json: the JSON text of a model", "got '{'")
case("json-number", binary, lambda m, x, y: model_from_json(3), ValueError, "model_from_json: the JSON text", "got 3")
case("json-of-a-layer", binary, lambda m, x, y: model_from_json('{"class_name": "Dense", "config": {"units": 1}}'),
     ValueError, "the JSON text of a model expected", "got that of Dense")
case("json-unknown-class", binary, lambda m, x, y: model_from_json(m.to_json().replace('"Dense"', '"Dens"')), ValueError,
     "layer class 'Dens'")
case("deserialize-code", binary,
     lambda m, x, y: saving.deserialize_keras_object({"class_name": "__lambda__", "config": {"value": "x"}}), ValueError,
     "lambda, which is code", "register a named function")
case("deserialize-module", binary,
     lambda m, x, y: saving.deserialize_keras_object({"module": "os", "class_name": "system", "config": {}}), ValueError,
     "unknown class 'system'", "custom_objects")
case("serialize-lambda", binary, lambda m, x, y: saving.serialize_keras_object(lambda t: t), ValueError,
     "lambda can't be serialized", "define a function")
case("serialize-object", binary, lambda m, x, y: saving.serialize_keras_object(object()), TypeError, "must have get_config()")
case("scope-of-a-list", binary, lambda m, x, y: saving.custom_object_scope([Dense]), ValueError,
     "custom_object_scope: a dict", "Dense")
case("compile-config-unregistered", binary,
     lambda m, x, y: _compiled_with(lambda t, p: p).get_compile_config(), ValueError, "neither a Loss nor a built-in function")

# ---- clones and structures --------------------------------------------------------------------------------------------------
case("clone-call-function", binary, lambda m, x, y: clone_model(m, call_function=lambda layer, t: layer(t)), ValueError,
     "call_function is for functional models")
case("clone-inputs", two, lambda m, x, y: clone_model(m, input_tensors=Input((3,))), ValueError,
     "input_tensors", "structure of model.input")
case("clone-call-function-word", two, lambda m, x, y: clone_model(m, call_function="call"), ValueError,
     "call_function must be a function", "got 'call'")
case("train-function-uncompiled", uncompiled, lambda m, x, y: m.make_train_function(), ValueError, "must be compiled")
case("train-function-batch", binary, lambda m, x, y: m.make_train_function()(iter([(x, y, None, None)])), ValueError,
     "a batch: x, (x,), (x, y) or (x, y, sample_weight) expected", "got a tuple of 4")
case("targets-structure", two, lambda m, x, y: m.fit(x, {"left": y[0], "rigth": y[1]}, verbose=0), ValueError, "y", "'rigth'")


def _compiled_with(loss):
    model = Sequential([Input((2,)), Dense(1)])
    model.compile("sgd", loss)
    return model

