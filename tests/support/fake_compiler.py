"""A script that answers as rustc does, as far as a test needs, and otherwise as the test says."""

from collections.abc import Callable
from pathlib import Path

FakeRustc = Callable[..., Path]

VERBOSE = """cat <<'END'
rustc 1.95.0 (59807616e 2026-04-14)
commit-hash: 59807616e1fa2540724bfbac14d7976d7e4a3860
commit-date: 2026-04-14
host: {host}
release: {release}
LLVM version: 22.1.2
END"""


def false_rustc(
    sysroot: Path, *, host: str = "x86_64-unknown-linux-gnu", release: str = "1.95.0", rest: str = ""
) -> str:
    """The body of a script that answers as rustc does, until `rest` answers otherwise."""
    return f"""
case "$*" in
{rest}
-vV) {VERBOSE.format(host=host, release=release)}
;;
"--print sysroot") echo "{sysroot}" ;;
"--print target-libdir") echo "{sysroot}/lib/rustlib/{host}/lib" ;;
"-C help") echo "    -C   lto=val -- perform LTO" ;;
"-Z help") [ "$RUSTC_BOOTSTRAP" = 1 ] || exit 1; echo "    -Z   dylib-lto=val -- LTO" ;;
*--crate-type*rlib*--crate-type*dylib*) exit 1 ;;
*"--crate-type rlib"*) echo liblinkage_asks.rlib ;;
*"--crate-type bin"*) echo linkage_asks.wasm ;;
*) echo "error: unknown" >&2; exit 1 ;;
esac"""
