#include <stdio.h>

unsigned counted(unsigned);

int main(void) {
    printf("%u\n", counted(10));
    return 0;
}
