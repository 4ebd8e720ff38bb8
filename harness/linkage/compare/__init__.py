"""Two compilers side by side: the outputs of their variants without noise, and the differences."""
