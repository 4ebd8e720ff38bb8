// Without core: the crates of mini-core are its std.
#![feature(no_core, rustc_attrs)]
#![allow(internal_features)]
#![no_core]

extern crate dep;
extern crate mini_std;
use mini_std::mini_core::*;

#[no_mangle]
pub static LIB_DATA: u32 = 7;

#[no_mangle]
pub extern "C" fn lib_c() -> *mut u8 {
    dep::dep_rust();
    mini_std::mini_alloc::allocate(4)
}

pub fn lib_rust() -> *mut u8 {
    lib_c()
}

#[cfg(allocator = "global")]
const _: () = {
    #[rustc_std_internal_symbol]
    unsafe fn __rust_alloc(_size: usize, _align: usize) -> *mut u8 {
        &raw const LIB_DATA as *mut u8
    }
    #[rustc_std_internal_symbol]
    unsafe fn __rust_dealloc(_place: *mut u8, _size: usize, _align: usize) {}
    #[rustc_std_internal_symbol]
    unsafe fn __rust_realloc(place: *mut u8, _size: usize, _align: usize, _new_size: usize) -> *mut u8 {
        place
    }
    #[rustc_std_internal_symbol]
    unsafe fn __rust_alloc_zeroed(_size: usize, _align: usize) -> *mut u8 {
        &raw const LIB_DATA as *mut u8
    }
};
