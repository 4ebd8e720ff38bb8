/* A C program that uses the staticlib, the cdylib or the dylib of the crate `top`. */
#include <stdint.h>
#include <stdio.h>

uint64_t leaf_for_c(uint64_t n);
uint64_t top_answer(uint64_t n);
uint64_t top_aside(uint64_t n);

int main(void) {
    printf("top=%llu ", (unsigned long long)top_answer(3));
    printf("aside=%llu ", (unsigned long long)top_aside(3));
    printf("leaf=%llu\n", (unsigned long long)leaf_for_c(3));
    return 0;
}
