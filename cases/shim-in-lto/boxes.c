/* A C program that uses the staticlib or the cdylib `boxes`. */
#include <stdint.h>
#include <stdio.h>

uint64_t *allocate(uint64_t n);
uint64_t release(uint64_t *n);

int main(void) {
    uint64_t sum = 0;
    for (uint64_t n = 0; n < 10; n++)
        sum += release(allocate(n));
    printf("sum=%llu\n", (unsigned long long)sum);
    return 0;
}
