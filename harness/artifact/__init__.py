"""Readers: what is in an artifact, told from its bytes alone."""

from harness.artifact.read import read, read_bytes

__all__ = ["read", "read_bytes"]
