/* The kernels for avx2; setup.py gives the compiler flags. */
#define BK_TABLE bk_table_avx2
#include "simd/avx2.h"
#include "isa/all.h"
