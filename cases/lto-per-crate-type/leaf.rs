//! The lowest crate. What others call is too big for rustc to inline across crates without LTO.
#![no_std]

pub fn used(n: u64) -> u64 {
    add(n, n)
}

/// Nothing calls it: only a dylib has a reason to keep it.
pub fn unused(n: u64) -> u64 {
    add(n, 1)
}

#[inline(never)]
fn add(a: u64, b: u64) -> u64 {
    a.wrapping_add(b)
}

/// C can call it, whatever is built.
#[no_mangle]
pub extern "C" fn leaf_for_c(n: u64) -> u64 {
    add(n, 2)
}
