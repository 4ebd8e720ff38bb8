/* A C program that uses the dylib. */
#include <stdint.h>
#include <stdio.h>

uint64_t dylib_sum(uint64_t n);

int main(void) {
    printf("sum=%llu\n", (unsigned long long)dylib_sum(10));
    return 0;
}
