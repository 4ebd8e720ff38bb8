//! An rlib that the dylib contains. Only LTO inlines `double`, because it calls a function.
#![no_std]

pub fn double(n: u64) -> u64 {
    add(n, n)
}

#[inline(never)]
fn add(a: u64, b: u64) -> u64 {
    a.wrapping_add(b)
}
