"""Fixtures of the bisection tests."""

collect_ignore_glob = ["cases/*.yaml"]
"""Those hold on some compilers only: a bisection is to find on which."""
