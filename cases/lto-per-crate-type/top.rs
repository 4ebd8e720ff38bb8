//! The crate that is built into several types. Build all with `-Cpanic=abort`.
#![no_std]

pub extern crate leaf;
pub extern crate middle;

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

/// For users in Rust.
pub fn answer(n: u64) -> u64 {
    middle::through(n) + 1
}

#[no_mangle]
pub extern "C" fn top_answer(n: u64) -> u64 {
    private(middle::through(leaf::used(n)))
}

#[inline(never)]
fn private(n: u64) -> u64 {
    n.wrapping_mul(7)
}

/// A codegen unit of its own, if there are several.
pub mod aside {
    #[no_mangle]
    pub extern "C" fn top_aside(n: u64) -> u64 {
        leaf::used(n) + own(n)
    }

    #[inline(never)]
    fn own(n: u64) -> u64 {
        n.wrapping_mul(5)
    }
}
