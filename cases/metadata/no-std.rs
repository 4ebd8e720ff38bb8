//! A library without std: what it exports of core was compiled elsewhere.
#![no_std]

pub fn digits(n: u128) -> u32 {
    let mut n = n;
    let mut count = 1;
    while n >= 10 {
        n /= 10;
        count += 1;
    }
    count
}

#[no_mangle]
pub extern "C" fn lib_sum(n: u64) -> u64 {
    digits(n as u128) as u64
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

/// The prebuilt core refers to it; nothing unwinds here.
#[no_mangle]
pub extern "C" fn rust_eh_personality() {}
