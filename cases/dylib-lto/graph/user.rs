//! A program that uses the library, its generics, and both crates through it.
#![no_std]
#![no_main]

extern crate shared;

#[link(name = "c")]
extern "C" {
    fn printf(format: *const u8, ...) -> i32;
}

#[no_mangle]
pub extern "C" fn main() -> i32 {
    let total = shared::total(&[1u32, 2, 3]);
    let (answer, double) = (shared::answer(7), shared::dep::double(4));
    let calls = shared::base::calls();
    unsafe { printf("total=%llu answer=%llu double=%llu calls=%zu\n\0".as_ptr(), total, answer, double, calls) };
    0
}
