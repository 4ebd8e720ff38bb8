"""Readers: from any bytes to facts, or to a clear error."""
