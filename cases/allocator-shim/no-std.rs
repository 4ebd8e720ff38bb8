//! A program without std whose allocator always fails.
#![no_std]
#![no_main]
#![allow(unknown_lints, internal_features)]
#![feature(lang_items)]
#![cfg_attr(handler = "own", feature(alloc_error_handler))]

extern crate alloc;

use alloc::boxed::Box;
use core::alloc::{GlobalAlloc, Layout};

#[link(name = "c")]
extern "C" {
    fn exit(status: i32) -> !;
}

#[link(name = "gcc_s")]
extern "C" {}

struct Empty;

unsafe impl GlobalAlloc for Empty {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Empty = Empty;

#[lang = "eh_personality"]
extern "C" fn personality() {}

#[cfg(handler = "own")]
#[alloc_error_handler]
fn failed(_: Layout) -> ! {
    unsafe { exit(3) }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe { exit(4) }
}

#[no_mangle]
pub extern "C" fn main() -> i32 {
    let place = Box::into_raw(Box::new(5));
    unsafe { *place }
}
