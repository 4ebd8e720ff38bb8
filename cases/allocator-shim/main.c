/* A C program that uses a staticlib, a cdylib or a dylib. */
#include <stdint.h>
#include <stdio.h>

uint64_t lib_sum(uint64_t n);

int main(void) {
    printf("sum=%llu\n", (unsigned long long)lib_sum(10));
    return 0;
}
