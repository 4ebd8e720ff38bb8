"""A rustc and a cargo that compile a std, as far as their command lines and files go: scripts."""

from pathlib import Path

HOST = "x86_64-unknown-linux-gnu"
BARE = "thumbv7em-none-eabi"

RUSTC = f"""
here=$(readlink -f "$0") && here=${{here%/bin/rustc}}
case "$*" in
*-vV) printf 'rustc 1.96.0 (x 2026-05-25)\\nhost: {HOST}\\nrelease: 1.96.0\\n' ;;
*"--print sysroot") echo "$here" ;;
*--version) echo "rustc 1.96.0 (x 2026-05-25)" ;;
*"--target {BARE}") echo '{{"metadata": {{"std": false}}}}' ;;
*"--target "*-windows-gnu) echo '{{"metadata": {{"std": true}}, "pre-link-objects": ["rsbegin.o"]}}' ;;
*"--target "*) printf 'error: could not find specification for target\\nhelp: see\\n' >&2; exit 1 ;;
*--crate-name=*)
    [ "$RUSTC_BOOTSTRAP" = 1 ] || exit 9
    while [ "$1" != --out-dir ]; do
        case "$1" in --crate-name=*) name=${{1#*=}} ;; esac
        shift
    done
    echo "$name" >> "$LOG"
    touch "$2/lib$name-linkage.rlib"
    [ "$name" != std ] || touch "$2/libstd-linkage.so" ;;
*--emit=obj*) while [ "$1" != -o ]; do shift; done; touch "$2" ;;
*) exit 8 ;;
esac
"""
"""It puts `.rlib` and `.so` files where it is told, and each crate's name into the file $LOG."""

CARGO = """#!/bin/sh
for word in "$@"; do
    case "$last" in
        --target) target=$word ;;
        --target-dir) out=$word ;;
    esac
    case "$word" in -Zbuild-std=*) crates=${word#*=} ;; esac
    last=$word
done
echo "$*" >> "$LOG"
env | grep -E '^(CARGO|RUSTC|RUSTFLAGS|__CARGO)' | sort > "$LOG.env"
[ -f src/lib.rs ] && [ -f Cargo.toml ] || exit 7
if [ -n "$FAILS" ]; then printf "$FAILS" >&2; exit 101; fi
mkdir -p "$out/$target/release/deps"
for crate in $(echo "$crates" | tr , ' ') compiler_builtins std_of_a_target; do
    echo "$crate" > "$out/$target/release/deps/lib$crate-1.rlib"
done
"""
"""It makes an rlib of each crate that it is asked for, or fails with the text $FAILS."""


def put_cargo(folder: Path) -> Path:
    """Put this cargo into a folder; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cargo").write_text(CARGO)
    (folder / "cargo").chmod(0o755)
    return folder


def library(*, vendor: bool = True) -> dict[str, str]:
    """The files of a package `rust-src`: paths with their texts."""
    root = "usr/src/rustc-1.96.0"
    manifest = '[package]\nedition = "2024"\n[dependencies]\n'
    files = {f"{root}/library/{crate}/Cargo.toml": manifest for crate in ("std", "proc_macro")}
    files |= {f"{root}/library/core/src/lib.rs": "", f"{root}/src/version": "1.96.0\n"}
    return files | ({f"{root}/library/vendor/libc/Cargo.toml": ""} if vendor else {})
