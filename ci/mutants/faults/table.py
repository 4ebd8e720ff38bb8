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

_ALL = [
    *flags.FAULTS,
    *linking.FAULTS,
    *symbols.FAULTS,
    *sources.FAULTS,
    *sections.FAULTS,
    *archives.FAULTS,
    *files.FAULTS,
    *exits.FAULTS,
    *link_order.FAULTS,
    *headers.FAULTS,
    *rlink.FAULTS,
    *printed.FAULTS,
    *rebuilt.FAULTS,
    *foreign.FAULTS,
]

FAULTS: Mapping[str, Fault] = {one.name: one for one in _ALL}
EVERY: Mapping[str, Fault] = {PLAIN.name: PLAIN, **FAULTS}
