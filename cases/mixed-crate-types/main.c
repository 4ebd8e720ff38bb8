/* A C program that uses the staticlib, the cdylib or the dylib of the crate `mixed`. */
#include <stdint.h>
#include <stdio.h>

uint64_t mixed_sum(uint64_t n);
int mixed_own_allocator(void);

int main(void) {
    printf("sum=%llu own=%d\n", (unsigned long long)mixed_sum(10), mixed_own_allocator());
    return 0;
}
