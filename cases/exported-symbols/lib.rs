//! The same items as in dep.rs, and with `--cfg calls` a call to that crate.
#![no_std]
extern crate dep;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[no_mangle]
pub extern "C" fn lib_public() -> i32 {
    if cfg!(calls) {
        dep::dep_rust()
    } else {
        9
    }
}

#[export_name = "lib_by_export_name"]
pub extern "C" fn named_otherwise() -> i32 {
    2
}

#[no_mangle]
pub static LIB_STATIC: i32 = 3;

mod hidden {
    #[no_mangle]
    pub extern "C" fn lib_in_private_module() -> i32 {
        4
    }

    #[no_mangle]
    extern "C" fn lib_private() -> i32 {
        5
    }

    #[no_mangle]
    pub fn lib_rust_abi() -> i32 {
        6
    }

    #[used]
    #[no_mangle]
    static LIB_USED_BY_NAME: i32 = 7;

    #[used]
    #[link_section = ".lib_used"]
    static LIB_USED: [u8; 8] = *b"lib used";
}

pub extern "C" fn lib_mangled() -> i32 {
    8
}

pub fn lib_rust() -> i32 {
    lib_mangled()
}
