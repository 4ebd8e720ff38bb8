//! A dependency: which of its items a library that links it exports.
#![no_std]

#[no_mangle]
pub extern "C" fn dep_public() -> i32 {
    1
}

#[export_name = "dep_by_export_name"]
pub extern "C" fn named_otherwise() -> i32 {
    2
}

#[no_mangle]
pub static DEP_STATIC: i32 = 3;

mod hidden {
    #[no_mangle]
    pub extern "C" fn dep_in_private_module() -> i32 {
        4
    }

    #[no_mangle]
    extern "C" fn dep_private() -> i32 {
        5
    }

    #[no_mangle]
    pub fn dep_rust_abi() -> i32 {
        6
    }

    #[used]
    #[no_mangle]
    static DEP_USED_BY_NAME: i32 = 7;

    #[used]
    #[link_section = ".dep_used"]
    static DEP_USED: [u8; 8] = *b"dep used";
}

pub extern "C" fn dep_mangled() -> i32 {
    8
}

pub fn dep_rust() -> i32 {
    9
}
