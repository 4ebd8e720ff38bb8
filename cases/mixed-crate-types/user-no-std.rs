//! A Rust program without std that uses the rlib or the dylib of the crate `mixed`,
//! which brings the allocator and the panic handler. Build it with `-Cpanic=abort`.
#![no_std]
#![no_main]

extern crate mixed;

#[link(name = "c")]
extern "C" {
    fn printf(format: *const u8, ...) -> i32;
}

#[no_mangle]
pub extern "C" fn main() -> i32 {
    let own = i32::from(mixed::own_allocator());
    unsafe { printf("sum=%llu own=%d\n\0".as_ptr(), mixed::sum(10), own) };
    0
}
