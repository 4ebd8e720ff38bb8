"""What a compiler behind a script is told to do, and a small case for it."""

from collections.abc import Callable
from pathlib import Path

MakeRustc = Callable[..., Path]

FAILS = "echo 'error: the shim is missing' >&2; exit 1"
FAILS_OTHERWISE = "echo 'error: unknown codegen option' >&2; exit 1"

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
