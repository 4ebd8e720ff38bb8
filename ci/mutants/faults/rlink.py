"""Faults in the content of the .rlink file, through which the two halves of a compilation agree."""

from collections.abc import Callable
from pathlib import Path

from mutants.faults.call import Call
from mutants.faults.fault import CompilerOutputs, Fault

_MAGIC = b"rustlink"


def _no_link(call: Call) -> bool:
    return call.compiles and call.has("-Zno-link")


def _exports_metadata(call: Call) -> bool:
    """Only the .rlink of a dylib or a proc-macro names the metadata among the exports."""
    return _no_link(call) and not {"dylib", "proc-macro"}.isdisjoint(call.crate_types)


def _changed(change: Callable[[bytes], bytes]) -> Callable[[CompilerOutputs], None]:
    def outputs(made: CompilerOutputs) -> None:
        for file in made.named(".rlink"):
            file.write_bytes(change(file.read_bytes()))

    return outputs


def _replaced(old: bytes, new: bytes, count: int = -1) -> Callable[[bytes], bytes]:
    """Texts of one length, so that what follows keeps its place."""
    return lambda content: content.replace(old, new, count)


def _flipped(content: bytes) -> bytes:
    """Another last byte of the body."""
    return content[:-20] + bytes([content[-20] ^ 0xFF]) + content[-19:]


def _of_another_crate(made: CompilerOutputs) -> None:
    for file in made.named(".rlink"):
        crate = (made.call.crate or Path(file).stem).encode()
        file.write_bytes(file.read_bytes().replace(crate, crate[:-1] + b"0"))


_CONTENTS: tuple[tuple[str, str, Callable[[bytes], bytes]], ...] = (
    ("rlink-empty", "rust-lang/rust#95297: an empty .rlink", lambda content: content[:0]),
    (
        "rlink-magic-lost",
        "rust-lang/rust#95297: an .rlink that does not begin as one",
        _replaced(_MAGIC, b"rustlonk", 1),
    ),
    (
        "rlink-version-unknown",
        "rust-lang/rust#95297: an .rlink of another version of its format",
        lambda content: content[:8] + b"\xff" * 4 + content[12:],
    ),
    (
        "rlink-of-another-compiler",
        "rust-lang/rust#95297: an .rlink of another compiler",
        lambda content: content[:13] + b"9" + content[14:],
    ),
    ("rlink-is-text", "an .rlink that is a text", lambda _: b"objects: none\n"),
    ("rlink-half", "half an .rlink", lambda content: content[: len(content) // 2]),
    ("rlink-byte-flipped", "an .rlink with a wrong byte", _flipped),
    ("rlink-objects-renamed", "an .rlink that names other objects", _replaced(b".rcgu.o", b".rcgx.o")),
    ("rlink-rlibs-renamed", "an .rlink that names other rlibs", _replaced(b".rlib", b".rlix")),
    ("rlink-dylibs-renamed", "an .rlink that names other dylibs", _replaced(b".so", b".sx")),
    ("rlink-libraries-renamed", "an .rlink that names other native libraries", _replaced(b"gcc_s", b"gcc_x")),
)

FAULTS = (
    *(
        Fault(name, stands_for, _no_link, ("exit", "exports", "produces"), outputs=_changed(change))
        for name, stands_for, change in _CONTENTS
    ),
    Fault(
        "rlink-exports-lost",
        "an .rlink whose exported names are others",
        _exports_metadata,
        ("exports",),
        outputs=_changed(_replaced(b"rust_metadata_", b"rust_metadatx_")),
    ),
    Fault(
        "rlink-of-another-crate",
        "an .rlink that is about another crate",
        _no_link,
        ("exit", "produces"),
        outputs=_of_another_crate,
    ),
)
