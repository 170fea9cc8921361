"""Optimizers as golden cases: ten steps on fixed gradients of two variables, for `k` = keras or brisknet."""

OPTIMIZERS = {
    "sgd": lambda k: k.optimizers.SGD(0.1),
    "sgd_default": lambda k: k.optimizers.SGD(),
    "sgd_momentum": lambda k: k.optimizers.SGD(learning_rate=0.05, momentum=0.9),
    "sgd_nesterov": lambda k: k.optimizers.SGD(learning_rate=0.05, momentum=0.8, nesterov=True),
    "sgd_decay": lambda k: k.optimizers.SGD(0.1, weight_decay=0.1),
    "sgd_nesterov_clipvalue": lambda k: k.optimizers.SGD(0.1, 0.9, True, clipvalue=0.5),
    "rmsprop": lambda k: k.optimizers.RMSprop(0.01),
    "rmsprop_default": lambda k: k.optimizers.RMSprop(),
    "rmsprop_momentum": lambda k: k.optimizers.RMSprop(0.01, rho=0.8, momentum=0.5, epsilon=1e-4),
    "rmsprop_centered": lambda k: k.optimizers.RMSprop(0.01, centered=True),
    "rmsprop_all": lambda k: k.optimizers.RMSprop(0.01, momentum=0.9, centered=True, weight_decay=0.05, clipnorm=1.0),
    "adam": lambda k: k.optimizers.Adam(0.01),
    "adam_default": lambda k: k.optimizers.Adam(),
    "adam_betas": lambda k: k.optimizers.Adam(0.02, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
    "adam_amsgrad": lambda k: k.optimizers.Adam(0.05, amsgrad=True),
    "adam_decay": lambda k: k.optimizers.Adam(0.05, weight_decay=0.2),
    "adam_clipnorm": lambda k: k.optimizers.Adam(0.05, clipnorm=0.7),
    "adam_global": lambda k: k.optimizers.Adam(0.05, global_clipnorm=1.5),
    "adam_clipvalue": lambda k: k.optimizers.Adam(0.05, clipvalue=0.3),
    "adagrad": lambda k: k.optimizers.Adagrad(0.05),
    "adagrad_default": lambda k: k.optimizers.Adagrad(),
    "adagrad_set": lambda k: k.optimizers.Adagrad(0.05, initial_accumulator_value=0.4, epsilon=1e-3, global_clipnorm=1.0),
    "adadelta": lambda k: k.optimizers.Adadelta(1.0),
    "adadelta_default": lambda k: k.optimizers.Adadelta(),
    "adadelta_set": lambda k: k.optimizers.Adadelta(0.5, rho=0.8, epsilon=1e-3, weight_decay=0.01, clipnorm=0.5),
    "by_name_upper": lambda k: k.optimizers.get("ADAM"),
    "by_name_mixed": lambda k: k.optimizers.get("AdaGrad"),
    "by_name_delta": lambda k: k.optimizers.get("AdaDelta"),
    "by_name_rmsprop": lambda k: k.optimizers.get("RMSprop"),
    "by_name_sgd": lambda k: k.optimizers.get("SGD"),
}
SHAPES = {"kernel": (3, 5), "bias": (4,)}
STEPS = 10


def excluding(k):
    """SGD with weight decay on everything but the bias."""
    optimizer = k.optimizers.SGD(0.1, weight_decay=0.3)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


OPTIMIZERS["sgd_exclude"] = excluding
