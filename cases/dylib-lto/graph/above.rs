//! A program that uses both dylibs: there is one copy of every crate.
#![no_std]
#![no_main]

extern crate over;

#[link(name = "c")]
extern "C" {
    fn printf(format: *const u8, ...) -> i32;
}

#[no_mangle]
pub extern "C" fn main() -> i32 {
    let (twice, answer) = (over::twice(1), over::shared::answer(7));
    unsafe { printf("twice=%llu answer=%llu calls=%zu\n\0".as_ptr(), twice, answer, over::shared::base::calls()) };
    0
}
