//! An `alloc`: what is linked with it needs an allocator, whose four functions it calls.
#![feature(no_core, allocator_internals, rustc_attrs)]
#![allow(internal_features)]
#![no_core]
#![needs_allocator]
#![crate_name = "mini_alloc"]

extern crate mini_core;
#[allow(unused_imports)]
use mini_core::*;

extern "Rust" {
    #[rustc_std_internal_symbol]
    fn __rust_alloc(size: usize, align: usize) -> *mut u8;
    #[rustc_std_internal_symbol]
    fn __rust_dealloc(place: *mut u8, size: usize, align: usize);
    #[rustc_std_internal_symbol]
    fn __rust_realloc(place: *mut u8, size: usize, align: usize, new_size: usize) -> *mut u8;
    #[rustc_std_internal_symbol]
    fn __rust_alloc_zeroed(size: usize, align: usize) -> *mut u8;
}

/// Bytes, of any alignment.
pub fn allocate(size: usize) -> *mut u8 {
    unsafe { __rust_alloc(size, 1) }
}

/// Bytes that are zero.
pub fn allocate_zeroed(size: usize) -> *mut u8 {
    unsafe { __rust_alloc_zeroed(size, 1) }
}

/// More or fewer bytes in place of what `allocate` gave.
pub fn reallocate(place: *mut u8, size: usize, new_size: usize) -> *mut u8 {
    unsafe { __rust_realloc(place, size, 1, new_size) }
}

/// Gives back what `allocate` gave.
pub fn free(place: *mut u8, size: usize) {
    unsafe { __rust_dealloc(place, size, 1) }
}
