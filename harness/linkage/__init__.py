"""Linkage regression harness for rustc."""
