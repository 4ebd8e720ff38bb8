//! A library that uses the crate with the C library. Build both with `-Cpanic=abort`.
#![no_std]

extern crate bound;

#[link(name = "c")]
extern "C" {
    fn abort() -> !;
}

/// The prebuilt core refers to both, although nothing here unwinds.
#[no_mangle]
pub extern "C" fn rust_eh_personality() {}

#[no_mangle]
pub extern "C" fn _Unwind_Resume() -> ! {
    unsafe { abort() }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe { abort() }
}

#[no_mangle]
pub extern "C" fn over_answer(n: u64) -> u64 {
    bound::twice(n)
}
