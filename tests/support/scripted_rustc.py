"""Instructions for a compiler behind a script, and a small case for it."""

import hashlib
import shlex
from collections.abc import Callable
from pathlib import Path

MakeRustc = Callable[..., Path]

FAILS = "echo 'error: the shim is missing' >&2; exit 1"
FAILS_OTHERWISE = "echo 'error: unknown codegen option' >&2; exit 1"


def breaking(rustc: Path, before: str = ":", more: str = "") -> str:
    """A script that stands for a rustc: it does `before` ahead of a compilation, then what that does.

    Those that do something else, or start another compiler, are built from another commit.
    """
    compiles = f'case "$*" in *lib.rs*) {before or ":"} ;; esac'
    commit = hashlib.sha1(f"{rustc}{before}{more}".encode(), usedforsecurity=False).hexdigest()
    real = shlex.quote(str(rustc))
    told = f"s/^commit-hash: .*/commit-hash: {commit}/"
    version = f'if [ "$*" = -vV ]; then {real} -vV | sed "{told}"; exit; fi'
    return f'#!/bin/sh\n{more}\n{version}\n{compiles}\nexec {real} "$@"\n'


ANSWER = """\
summary: The answer is there
matrix: {size: [1, 2]}
sources:
  lib.rs: |
    #![no_std]
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    #[no_mangle] pub extern "C" fn answer() -> i32 { ${size} }
steps:
  - rustc: lib.rs
    crate-type: cdylib
    panic: abort
    claims:
      lib.cdylib: {exports: {all: [answer]}}
"""
