"""Artifacts made by hand that claims are about."""

from linkage.artifact.facts import Dynamic, Metadata, ObjectType, Relro, Section
from support.hand_made import DYNAMIC, archive, elf, member

SYMBOLS = {
    "foo": "",
    "bar": "undefined",
    "puts": "undefined",
    "soft": "weak",
    "own": "local",
    "mine": "hidden",
    "inner": "internal",
    "fixed": "absolute",
    "one": "unique",
    "data": "object .data",
    "pool": "common",
}
SECTIONS = (
    Section(".text", 64, "PROGBITS", "AX"),
    Section(".debug_info", 900, "PROGBITS", "C", compressed=True),
)
OBJECT = elf(SYMBOLS, sections=SECTIONS, type=ObjectType.RELOCATABLE, executable_stack=None)
LIBRARY = elf(
    {"foo": "", "hidden_one": "local"},
    {"foo": "", "foo_2": "weak @@FOO_1.0", "malloc": "undefined @GLIBC_2.2.5"},
    SECTIONS,
    dynamic=Dynamic(
        DYNAMIC.needed, DYNAMIC.soname, DYNAMIC.runpath, ("/old",), versions_needed=("libc.so.6:GLIBC_2.34",)
    ),
    interpreter="/lib64/ld-linux-x86-64.so.2",
    pie=True,
    relro=Relro.FULL,
    executable_stack=False,
    properties=("IBT", "SHSTK"),
    build_id="c0ffee",
    init_array=2,
    fini_array=1,
    tls=True,
)
ARCHIVE = archive(
    member("foo.foo.1a2b-cgu.0.rcgu.o", {"foo": "", "bar": "undefined", "baz": "undefined"}, crate="foo"),
    member("std-12.std.9f-cgu.0.rcgu.o", {"bar": "", "soft": "weak"}, crate="std"),
    member("lib.rmeta", None, metadata=Metadata(10, "rustc 1.95.0", 100, compressed=False)),
    index=("foo", "bar"),
)
TWICE = archive(member("a.o", {"foo": "", "soft": "weak"}), member("b.o", {"foo": "", "soft": "weak"}))
