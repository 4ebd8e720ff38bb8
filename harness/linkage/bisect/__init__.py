"""Since when: which toolchain of a range, and which merge, changed how cases come out."""
