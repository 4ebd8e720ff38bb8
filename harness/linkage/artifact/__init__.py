"""Readers: the facts of an artifact, from its bytes alone."""

from linkage.artifact.demangle import demangle, demangled_path
from linkage.artifact.facts import Facts
from linkage.artifact.reader import read, read_bytes

__all__ = ["Facts", "demangle", "demangled_path", "read", "read_bytes"]
