//! What every crate here depends on: the panic handler, and a function that counts its calls.
//! As a dylib it contains all of core. Build it and all of its users with `-Cpanic=abort`.
#![no_std]

use core::sync::atomic::{AtomicUsize, Ordering};

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

static CALLS: AtomicUsize = AtomicUsize::new(0);

/// How often `triple` was called in this copy of the crate.
pub fn calls() -> usize {
    CALLS.load(Ordering::Relaxed)
}

/// A function that calls another: rustc does not inline it into other crates by itself.
pub fn triple(n: u64) -> u64 {
    CALLS.fetch_add(1, Ordering::Relaxed);
    add(n, add(n, n))
}

#[inline(never)]
fn add(a: u64, b: u64) -> u64 {
    a.wrapping_add(b)
}
