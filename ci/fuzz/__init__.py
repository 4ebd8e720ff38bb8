"""Fuzzing of everything that reads what linkage did not write: any bytes in, facts or a LinkageError out.

CONTRIBUTING.md describes it; `ci/fuzz-readers` runs it.
"""
