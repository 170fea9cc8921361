# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, binding=True, freethreading_compatible=False
"""The kernels compiled: the functions of kernels.reference over csrc, for float32 arrays, without the GIL where it pays.

A call opens the arrays' buffers, fills the operands of one to five instructions and runs them as a small program, on several
threads where the work is worth it. Buffers are opened directly: a typed memoryview argument takes three times as long to make
(0.16 against 0.05 microseconds each), which for a product of 32 x 10 x 64 would add a third. What does not fit at once goes
through kernels.checks, which makes it fit or raises the error.

Scratch memory is kept between calls, at most 128 MiB in four blocks. All functions may be called from several threads at once.
"""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE
from libc.math cimport isfinite, rint
from libc.stdint cimport int32_t, int64_t, uintptr_t
from libc.string cimport memcpy, memset

from brisknet._core cimport (
    allocate, bk_args, bk_instr, bk_plan, bk_program, bk_segment, pieces_of, kernel_of, plan_of, release, run_once, thread_count,
)

import numpy as np

from brisknet.kernels import checks, reference
from brisknet.runtime.native import thread_flops

__all__ = list(reference.__all__)

cdef extern from "Python.h":
    int PyObject_GetBuffer(object o, Py_buffer *view, int flags)
    void PyBuffer_Release(Py_buffer *view)
    void PyErr_Clear()

cdef extern from "brisknet.h" nogil:
    enum: BK_BARRIER, BK_BLOCK, BK_PANEL, BK_PAD
    enum: BK_OP_matmul, BK_OP_pack_panel, BK_OP_unpack_panel, BK_OP_dense_forward, BK_OP_dense_dgrad, BK_OP_dense_wgrad
    enum: BK_OP_copy_bytes, BK_OP_act_grad, BK_OP_dropout, BK_OP_softmax, BK_OP_xent_head, BK_OP_sum_partials, BK_OP_reduce_sum
    enum: BK_OP_relu, BK_OP_leaky_relu, BK_OP_elu, BK_OP_sigmoid, BK_OP_tanh, BK_OP_gelu, BK_OP_gelu_tanh, BK_OP_silu
    enum: BK_OP_softplus, BK_OP_step, BK_OP_gelu_grad, BK_OP_gelu_tanh_grad, BK_OP_silu_grad, BK_OP_softplus_grad
    enum: BK_OP_sgd_update, BK_OP_rmsprop_update, BK_OP_adam_update, BK_OP_adagrad_update, BK_OP_adadelta_update

cdef enum:
    READ = 0
    WRITE = 1        # the buffer is written
    GUARD = 2        # the kernel may read up to BK_PAD bytes behind it: copied where those may not be readable
    PAGE = 4096
    MAX_VIEWS = 8
    MAX_CODE = 5
    KEEP_BLOCKS = 4
    KEEP_BYTES = 134217728

cdef double INF = float("inf")
cdef double _thread_work = thread_flops()      # work from which several threads share it
cdef double _short_work = 2e5                  # work that is done sooner than the GIL could be handed over
cdef object _empty = np.empty, _float32 = np.float32, _ndarray = np.ndarray
cdef dict _dense_kinds = {name: i for i, name in enumerate(checks.FROM_OUTPUT)}
cdef dict _forward_ops = dict(zip(checks.KINDS, (
    BK_OP_copy_bytes, BK_OP_relu, BK_OP_leaky_relu, BK_OP_elu, BK_OP_sigmoid, BK_OP_tanh, BK_OP_gelu, BK_OP_gelu_tanh,
    BK_OP_silu, BK_OP_softplus, BK_OP_step,
)))
cdef dict _grad_ops = dict(zip(checks.FROM_INPUT, (BK_OP_gelu_grad, BK_OP_gelu_tanh_grad, BK_OP_silu_grad, BK_OP_softplus_grad)))

include "call.pxi"
include "products.pxi"
include "elements.pxi"
include "optimizers.pxi"

for _name in __all__:
    if _name != "PackedWeights":
        globals()[_name].__doc__ = getattr(reference, _name).__doc__
