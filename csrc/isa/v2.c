/* The kernels for v2; setup.py gives the compiler flags. */
#define BK_TABLE bk_table_v2
#include "simd/v2.h"
#include "isa/all.h"
