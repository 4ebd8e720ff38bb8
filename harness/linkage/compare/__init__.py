"""Two compilers side by side: what their variants made, without noise, and in what it differs."""
