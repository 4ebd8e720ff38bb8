// A dependency: a C function that nothing calls, and a Rust function that allocates.
#![feature(no_core)]
#![allow(internal_features)]
#![no_core]

extern crate mini_std;
use mini_std::mini_core::*;

#[no_mangle]
pub extern "C" fn dep_c() -> u32 {
    5
}

#[inline(never)]
pub fn dep_rust() -> *mut u8 {
    mini_std::mini_alloc::allocate(8)
}
