//! libc's malloc as the `#[global_allocator]`, without std.
#![no_std]
#![cfg_attr(handler = "own", feature(alloc_error_handler))]

use core::alloc::{GlobalAlloc, Layout};

#[link(name = "c")]
extern "C" {
    fn malloc(size: usize) -> *mut u8;
    fn free(place: *mut u8);
    #[cfg(handler = "own")]
    fn abort() -> !;
}

pub struct Libc;

unsafe impl GlobalAlloc for Libc {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        malloc(layout.size())
    }

    #[inline]
    unsafe fn dealloc(&self, place: *mut u8, _: Layout) {
        free(place)
    }
}

#[global_allocator]
static ALLOCATOR: Libc = Libc;

#[cfg(handler = "own")]
#[alloc_error_handler]
fn failed(_: Layout) -> ! {
    unsafe { abort() }
}
