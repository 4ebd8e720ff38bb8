"""Readers: what is in an artifact, told from its bytes alone."""

from harness.artifact.demangle import demangle, demangled_path
from harness.artifact.facts import Facts
from harness.artifact.read import read, read_bytes

__all__ = ["Facts", "demangle", "demangled_path", "read", "read_bytes"]
