"""What msgspec raises for bytes that are not the JSON or MessagePack that is expected."""

import msgspec

MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Not of the expected shape; text that is not UTF-8; nested too deep."""
