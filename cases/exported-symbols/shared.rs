//! A dylib: which items of it and of its rlibs others can link against.
#![no_std]
extern crate generic;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[no_mangle]
pub extern "C" fn c_of_lib() -> usize {
    generic_of_lib(2u32)
        + generic::generic_of_dep(3u64)
        + outlined_of_lib(4u8)
        + generic::inline_of_dep()
}

pub fn rust_of_lib() -> usize {
    generic::rust_of_dep() + inner::of_crate() + private()
}

pub fn generic_of_lib<T>(_: T) -> usize {
    core::mem::align_of::<T>() + private_for_generic()
}

#[inline(never)]
pub fn outlined_of_lib<T>(_: T) -> usize {
    core::mem::size_of::<T>()
}

pub static PUBLIC: usize = 5;

static PRIVATE: usize = 6;

#[inline(never)]
fn private() -> usize {
    PRIVATE
}

#[inline(never)]
fn private_for_generic() -> usize {
    0
}

mod inner {
    #[inline(never)]
    pub fn of_crate() -> usize {
        1
    }
}
