//! As default.rs without std: an allocator and a panic handler of its own.
//! Build it with `-Cpanic=abort`.
#![no_std]

extern crate alloc;

use alloc::string::ToString;
use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicUsize, Ordering};

#[link(name = "c")]
extern "C" {
    fn abort() -> !;
    fn aligned_alloc(align: usize, size: usize) -> *mut u8;
    fn free(ptr: *mut u8);
}

// A dylib contains all of core, which refers to the unwinder.
#[link(name = "gcc_s")]
extern "C" {}

struct Counting(AtomicUsize);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.fetch_add(1, Ordering::Relaxed);
        let size = (layout.size() + layout.align() - 1) & !(layout.align() - 1);
        aligned_alloc(layout.align(), size)
    }

    unsafe fn dealloc(&self, ptr: *mut u8, _: Layout) {
        free(ptr)
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting(AtomicUsize::new(0));

/// The prebuilt core and alloc refer to it, although nothing here unwinds.
#[no_mangle]
pub extern "C" fn rust_eh_personality() {}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe { abort() }
}

pub fn sum(n: u64) -> u64 {
    let numbers: Vec<u64> = (0..n).collect();
    let text = numbers.iter().sum::<u64>().to_string();
    text.parse().unwrap()
}

/// Whether an allocation made here reaches this crate's allocator.
pub fn own_allocator() -> bool {
    let before = ALLOCATOR.0.load(Ordering::Relaxed);
    sum(3);
    ALLOCATOR.0.load(Ordering::Relaxed) > before
}

#[no_mangle]
pub extern "C" fn mixed_sum(n: u64) -> u64 {
    sum(n)
}

#[no_mangle]
pub extern "C" fn mixed_own_allocator() -> i32 {
    i32::from(own_allocator())
}
