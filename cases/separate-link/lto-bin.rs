//! The program: LTO takes place in the first half, and linking in the second. Its exit status is the sum.
#![no_std]
#![no_main]
extern crate lto_dep;

#[link(name = "c")]
extern "C" {}

#[no_mangle]
pub extern "C" fn main(arguments: i32, _: *const *const u8) -> i32 {
    lto_dep::dep_sum(9 + arguments as u64) as i32
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[no_mangle]
pub extern "C" fn rust_eh_personality() {}
