/* A C program: PREFIX(answer) is the library's, or that of the library that uses it. */
#include <stdint.h>
#include <stdio.h>

#ifdef OVER
#define PREFIX(name) over_##name
#else
#define PREFIX(name) shared_##name
#endif

uint64_t PREFIX(answer)(uint64_t n);
size_t PREFIX(calls)(void);

int main(void) {
    printf("answer=%llu ", (unsigned long long)PREFIX(answer)(7));
    printf("calls=%zu\n", PREFIX(calls)());
    return 0;
}
