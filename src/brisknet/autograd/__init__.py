"""Gradients on demand: GradientTape, grad and its kin, compiled functions, gradients of one's own, and their check."""

from brisknet.autograd.check import GradcheckError, gradcheck
from brisknet.autograd.custom import custom_gradient
from brisknet.autograd.function import Function, function
from brisknet.autograd.tape import GradientTape
from brisknet.autograd.transforms import grad, hessian, jacobian, value_and_grad

__all__ = [
    "Function", "GradcheckError", "GradientTape", "custom_gradient", "function", "grad", "gradcheck", "hessian",
    "jacobian", "value_and_grad",
]  # fmt: skip
