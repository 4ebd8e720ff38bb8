//! A dependency whose generics are instantiated here and in other crates.
#![no_std]

pub fn generic_of_dep<T>(_: T) -> usize {
    core::mem::size_of::<T>()
}

#[inline(never)]
pub fn outlined_of_dep<T>(_: T) -> usize {
    core::mem::align_of::<T>()
}

pub fn rust_of_dep() -> usize {
    generic_of_dep(1u16) + outlined_of_dep(1u16)
}

#[no_mangle]
pub extern "C" fn c_of_dep() -> usize {
    generic_of_dep(1u8)
}

#[inline]
pub fn inline_of_dep() -> usize {
    3
}
