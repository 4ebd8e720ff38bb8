"""The crate of an archive's member, from the member's name.

rustc names the object of a codegen unit `STEM.UNIT.rcgu.o` (rustc_session's `OutputFilenames`);
STEM is the output's name, `std-5740e47ddabbb05c`, UNIT the unit's, which begins with the
crate's (rustc_middle's `CodegenUnitNameBuilder`):

    std-5740e47ddabbb05c.std.c05de5ba2d1dbbe2-cgu.0.rcgu.o    a codegen unit
    foo.3a1fbbbh-cgu.0.rcgu.o                                 as compilers before 1.3x name it
    foo.9nd4tsony5drdq6gl14fqe8tx.rcgu.o                      the allocator shim: the unit is a hash
    foo.0w67259wk4t6de9jnkfq6fh3c.0ks2vu4.rcgu.o              an incremental unit, of that session
    foo.std-5740e47ddabbb05c.std.c05de5ba2d1dbbe2-cgu.0.rcgu.o.rcgu.o    a dependency's, after thin LTO
    45c91108d938afe8-absvdi2.o, absvdi2.c.o                   C code of a build script: no crate
"""

import re

_UNIT = re.compile(r"(?:.*\.)?([^.]+)\.[0-9a-z]+-cgu\.\d+(?:\.\w+)*\.rcgu\.(?:o|dwo)", re.ASCII)
_HASHED = re.compile(r"([^.]+)\.[0-9a-z]+(?:\.[0-9a-z]+)?\.rcgu\.(?:o|dwo)", re.ASCII)


def crate_of(member: str) -> str | None:
    """The crate that a member of this name was compiled from, None if the name does not show it."""
    if found := _UNIT.fullmatch(member):
        return found[1]
    if found := _HASHED.fullmatch(member):
        return found[1].split("-")[0]  # no crate's name has a hyphen: -Cextra-filename begins there
    return None
