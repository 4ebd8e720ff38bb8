//! A crate with a C library.
#![no_std]

extern "C" {
    fn native_twice(n: u64) -> u64;
}

pub fn twice(n: u64) -> u64 {
    add(unsafe { native_twice(n) })
}

#[inline(never)]
fn add(n: u64) -> u64 {
    n.wrapping_add(1)
}
