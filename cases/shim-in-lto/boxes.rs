//! A library without std that allocates and frees, for C. Build it with `-Cpanic=abort`.
#![no_std]
#![allow(unknown_lints, internal_features)]
#![feature(lang_items)]

extern crate alloc;
extern crate allocator;

use alloc::boxed::Box;

// The prebuilt core and alloc refer to the unwinder.
#[link(name = "gcc_s")]
extern "C" {}

#[lang = "eh_personality"]
extern "C" fn personality() {}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn allocate(n: u64) -> *mut u64 {
    Box::into_raw(Box::new(n))
}

#[no_mangle]
#[inline(never)]
pub unsafe extern "C" fn release(n: *mut u64) -> u64 {
    *Box::from_raw(n)
}
