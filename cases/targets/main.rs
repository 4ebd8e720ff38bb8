// A program without core. Nothing calls its C functions but `main`.
#![feature(no_core)]
#![allow(internal_features)]
#![no_core]
#![no_main]

extern crate dep;
extern crate mini_std;
use mini_std::mini_core::*;

#[no_mangle]
pub static PROGRAM_DATA: u32 = 7;

#[no_mangle]
pub extern "C" fn of_program() -> u32 {
    7
}

mod private {
    #[no_mangle]
    extern "C" fn in_private_module() -> u32 {
        8
    }
}

#[no_mangle]
pub extern "C" fn main() -> i32 {
    mini_std::mini_alloc::free(dep::dep_rust(), 8);
    7
}
