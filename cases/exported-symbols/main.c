#include <stdio.h>

int lib_public(void), lib_by_export_name(void), lib_in_private_module(void), lib_private(void);
int dep_public(void), dep_by_export_name(void), dep_in_private_module(void), dep_private(void);
extern int LIB_STATIC, LIB_USED_BY_NAME, DEP_STATIC, DEP_USED_BY_NAME;

/* core refers to it, although nothing here unwinds. */
void rust_eh_personality(void) {}

int main(void) {
    printf("lib %d %d %d %d %d %d\n", lib_public(), lib_by_export_name(), LIB_STATIC, lib_in_private_module(),
           lib_private(), LIB_USED_BY_NAME);
    printf("dep %d %d %d %d %d\n", dep_public(), dep_by_export_name(), DEP_STATIC, dep_in_private_module(),
           dep_private());
    printf("used %d\n", DEP_USED_BY_NAME);
    return 0;
}
