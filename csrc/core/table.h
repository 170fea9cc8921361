/* table.h: one row of an ISA's kernel table. */
#ifndef BRISKNET_TABLE_H
#define BRISKNET_TABLE_H
#include "brisknet.h"
typedef struct bk_entry { bk_kernel fn; bk_plan (*plan)(const bk_args *a); } bk_entry;
#endif
