/* The kernels for neon; setup.py gives the compiler flags. */
#define BK_TABLE bk_table_neon
#include "simd/neon.h"
#include "isa/all.h"
