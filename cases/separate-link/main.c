/* A C program that uses the staticlib, the cdylib or the dylib of the crate `separate`. */
#include <stdint.h>
#include <stdio.h>

uint64_t separate_sum(uint64_t n);

int main(void) {
    printf("sum=%llu\n", (unsigned long long)separate_sum(10));
    return 0;
}
