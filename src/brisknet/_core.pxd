# What brisknet.kernels.native takes from the core: the types of csrc/brisknet.h, and the kernels of the instruction set in use,
# of which there is one copy.

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t

cdef extern from "brisknet.h" nogil:
    ctypedef struct bk_args:
        void *p[11]
        int64_t n[14]
        float f[8]
    ctypedef struct bk_feed:
        const void *base
        int32_t dtype
    ctypedef struct bk_batch:
        const bk_feed *feed
        void **fetch
        const uint32_t *index
        int64_t row
    ctypedef void (*bk_kernel)(const bk_args *a, int64_t lo, int64_t hi, void *w)
    ctypedef struct bk_instr:
        bk_kernel fn
        int64_t units
        uint32_t flags
        uint16_t op, pieces
        bk_args a
    ctypedef struct bk_plan:
        int64_t units, scratch_bytes
        double flops, bytes
    ctypedef struct bk_program:
        const bk_instr *code
        int64_t n, scratch_bytes
        int32_t threads, poison
        void *arena
        int64_t arena_bytes
        void *scratch
        int64_t scratch_threads
        int32_t *taken
        double *seconds
    ctypedef struct bk_segment:
        float *param
        const float *grad
        float *slot[3]
        int64_t n, first
        float decay, l1, l2

cdef bk_kernel kernel_of(int op) noexcept nogil
cdef bk_plan plan_of(int op, const bk_args *a) noexcept nogil
cdef int pieces_of(int op) noexcept nogil
cdef int run_once(bk_program *p) noexcept nogil
cdef int thread_count() noexcept nogil
cdef void *allocate(size_t bytes) noexcept nogil
cdef void release(void *p) noexcept nogil
