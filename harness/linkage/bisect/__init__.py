"""Bisection: find the toolchain of a range, and the merge, that introduced or fixed failures."""
