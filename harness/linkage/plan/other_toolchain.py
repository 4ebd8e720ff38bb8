"""Which toolchain runs a variant's steps with `toolchain: other`. Pure."""

import re
from collections.abc import Iterator, Sequence

from linkage.case.condition import OTHER_COMPILER
from linkage.case.other_toolchain import uses_other
from linkage.case.variables import text
from linkage.plan.plan import Variant
from linkage.toolchain.model import Toolchain

_NAMED = re.compile(rf"(?:^|-){OTHER_COMPILER}=([\w.+-]+)$", re.ASCII)


def other_toolchain(variant: Variant, found: Sequence[Toolchain]) -> Toolchain | str | None:
    """The other toolchain of a variant, among those that were found; None if it needs none, or a reason for
    a skip if it is not among them.

    It is never the variant's own compiler, under whatever name: what two compilers make of each other's
    outputs is not seen with one.
    """
    asked = text(variant.row.get(OTHER_COMPILER))
    if not asked:
        if not uses_other(variant.case.model, variant.row):
            return None
        need = f"its steps need another toolchain than {variant.toolchain.name}"
        return f"{need} (help: run it with two toolchains, or name one with --other-toolchain)"
    named = next((one for one in found if asked in (one.name, one.spec)), None)
    if named is None:
        return f"this run has no toolchain `{asked}` (help: name it with --other-toolchain)"
    if named.fingerprint == variant.toolchain.fingerprint:
        return f"{asked} is the same compiler as {variant.toolchain.name}"
    return named


def other_names(toolchain: Toolchain, found: Sequence[Toolchain]) -> Iterator[str]:
    """The names of the toolchains that can be the other one beside a toolchain."""
    return (one.name for one in found if one.fingerprint != toolchain.fingerprint)


def divided_cell(cell: str) -> tuple[str, str | None]:
    """The name of a cell without its other toolchain, and the name of that; None if it has none."""
    found = _NAMED.search(cell)
    return (cell, None) if found is None else (cell[: found.start()], found[1])
