//! A `std`: it has the default allocator, to which rustc's shim leads unless another crate has a global one.
//! It has eight bytes, which every caller gets.
#![feature(no_core, allocator_internals, rustc_attrs)]
#![allow(internal_features)]
#![no_core]
#![default_lib_allocator]
#![crate_name = "mini_std"]

pub extern crate mini_alloc;
pub extern crate mini_core;
#[allow(unused_imports)]
use mini_core::*;

static mut BYTES: u64 = 0;

#[rustc_std_internal_symbol]
pub unsafe fn __rdl_alloc(_size: usize, _align: usize) -> *mut u8 {
    &raw mut BYTES as *mut u8
}

#[rustc_std_internal_symbol]
pub unsafe fn __rdl_dealloc(_place: *mut u8, _size: usize, _align: usize) {}

#[rustc_std_internal_symbol]
pub unsafe fn __rdl_realloc(place: *mut u8, _size: usize, _align: usize, _new_size: usize) -> *mut u8 {
    place
}

#[rustc_std_internal_symbol]
pub unsafe fn __rdl_alloc_zeroed(_size: usize, _align: usize) -> *mut u8 {
    BYTES = 0;
    &raw mut BYTES as *mut u8
}

#[rustc_std_internal_symbol]
pub unsafe fn __rdl_alloc_error_handler(_size: usize, _align: usize) {}
