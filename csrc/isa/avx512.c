/* The kernels for avx512; setup.py gives the compiler flags. */
#define BK_TABLE bk_table_avx512
#include "simd/avx512.h"
#include "isa/all.h"
