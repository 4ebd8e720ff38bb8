"""`linkage inspect`: what the readers see in artifacts."""

from collections.abc import Sequence


def inspect(files: Sequence[str], *, refers: Sequence[str], as_json: bool) -> int:
    raise NotImplementedError
