"""All faults by name, and the wrapper that has none."""

from collections.abc import Mapping

from mutants.faults import (
    archives,
    exits,
    files,
    flags,
    foreign,
    headers,
    link_order,
    linking,
    lto_move,
    printed,
    rebuilt,
    rlink,
    sections,
    sources,
    symbols,
)
from mutants.faults.fault import Fault

PLAIN = Fault(
    "plain",
    "no fault: rustc and its linker run through the wrapper, and archives are rewritten unchanged",
    lambda call: call.compiles,
    ("exit",),
    linker=list,
    outputs=archives.unchanged,
)

_MODULES = (
    flags,
    linking,
    symbols,
    sources,
    sections,
    archives,
    files,
    exits,
    link_order,
    headers,
    rlink,
    printed,
    rebuilt,
    lto_move,
    foreign,
)

FAULTS: Mapping[str, Fault] = {one.name: one for module in _MODULES for one in module.FAULTS}
EVERY: Mapping[str, Fault] = {PLAIN.name: PLAIN, **FAULTS}
MODULES: Mapping[str, str] = {PLAIN.name: "table"} | {
    one.name: module.__name__.rpartition(".")[2] for module in _MODULES for one in module.FAULTS
}
"""The module that has each fault."""
