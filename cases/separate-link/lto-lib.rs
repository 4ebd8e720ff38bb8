//! The library: LTO takes place in the first half, and linking in the second.
#![no_std]
extern crate lto_dep;

#[no_mangle]
pub extern "C" fn separate_sum(n: u64) -> u64 {
    lto_dep::dep_sum(n)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

/// The prebuilt core refers to it; nothing unwinds here.
#[no_mangle]
pub extern "C" fn rust_eh_personality() {}
