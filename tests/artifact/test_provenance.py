"""Names of members as compilers from 1.48 to 1.98 write them."""

from pathlib import Path

import pytest

from linkage.artifact import read
from linkage.artifact.provenance import crate_of


@pytest.mark.parametrize(
    ("member", "crate"),
    [
        ("std-6bf3f16f340782ca.std.3l0fco2s-cgu.0.rcgu.o", "std"),  # 1.48
        ("std-a5a48102fbd58791.std.ee34264e-cgu.12.rcgu.o", "std"),  # 1.63
        ("std-1b84486d30586706.std.10a32f4972d5fda2-cgu.00.rcgu.o", "std"),  # 1.78
        (
            "compiler_builtins-27cfc16bdf3bb694.compiler_builtins.4e30281dd23088d2-cgu.123.rcgu.o",
            "compiler_builtins",
        ),
        ("foo.3a1fbbbh-cgu.0.rcgu.o", "foo"),
        ("out-x.foo.318e0e529a9ae598-cgu.0.rcgu.o", "foo"),
        ("foo-abc.foo.318e0e529a9ae598-cgu.2.rcgu.o", "foo"),
        ("foo.foo.318e0e529a9ae598-cgu.0.rcgu.dwo", "foo"),
        ("foo.adler2-f4c975b081f3bf63.adler2.4ef9cded337c1ba0-cgu.0.rcgu.o.rcgu.o", "adler2"),  # thin LTO
        ("foo.4a2a78br05n0rjfc.rcgu.o", "foo"),  # the allocator shim, 1.48
        ("foo.2iiwhp603a1r5u4q7vox8fday.rcgu.o", "foo"),  # the allocator shim, 1.98
        ("foo-5740e47ddabbb05c.9nd4tsony5drdq6gl14fqe8tx.rcgu.o", "foo"),
        ("foo.0w67259wk4t6de9jnkfq6fh3c.0ks2vu4.rcgu.o", "foo"),  # incremental
        ("45c91108d938afe8-absvdi2.o", None),
        ("absvdi2.c.o", None),
        ("lib.rmeta", None),
        ("lib.rmeta-link", None),
        ("", None),
    ],
)
def test_the_crate_of_a_member(member: str, crate: str | None) -> None:
    assert crate_of(member) == crate


def test_a_static_library_names_its_crates(built: dict[str, Path]) -> None:
    archive = read(built["staticlib"]).archive
    assert archive is not None
    crates = {member.crate for member in archive.members}
    assert {"shapes", "std", "core", "alloc", "compiler_builtins", "panic_unwind"} <= crates
    without = [m for m in archive.members if m.crate is None and m.name.endswith(".rcgu.o")]
    assert not without
