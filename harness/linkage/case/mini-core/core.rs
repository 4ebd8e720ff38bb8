//! The language items that a crate needs to be compiled at all, for targets without a core library.
//! With `--cfg drop_glue` for compilers that call `drop_in_place` so.
#![feature(no_core, lang_items, rustc_attrs, auto_traits, decl_macro)]
#![allow(internal_features, unconditional_recursion)]
#![no_core]
#![crate_name = "mini_core"]

#[lang = "pointee_sized"]
pub trait PointeeSized {}
#[lang = "meta_sized"]
pub trait MetaSized: PointeeSized {}
#[lang = "sized"]
pub trait Sized: MetaSized {}

#[lang = "copy"]
pub trait Copy {}
impl Copy for bool {}
impl Copy for u8 {}
impl Copy for u16 {}
impl Copy for u32 {}
impl Copy for u64 {}
impl Copy for usize {}
impl Copy for i8 {}
impl Copy for i16 {}
impl Copy for i32 {}
impl Copy for i64 {}
impl Copy for isize {}
impl<T: PointeeSized> Copy for &T {}
impl<T: PointeeSized> Copy for *const T {}
impl<T: PointeeSized> Copy for *mut T {}

#[lang = "legacy_receiver"]
pub trait LegacyReceiver {}
impl<T: PointeeSized> LegacyReceiver for &T {}
impl<T: PointeeSized> LegacyReceiver for &mut T {}

#[lang = "freeze"]
pub unsafe auto trait Freeze {}
#[lang = "sync"]
pub unsafe auto trait Sync {}

#[cfg_attr(drop_glue, lang = "drop_glue")]
#[cfg_attr(not(drop_glue), lang = "drop_in_place")]
pub unsafe fn drop_in_place<T: PointeeSized>(value: *mut T) {
    drop_in_place(value)
}

/// `core::arch::asm!`.
#[rustc_builtin_macro]
pub macro asm() {}

/// `core::arch::global_asm!`.
#[rustc_builtin_macro]
pub macro global_asm() {}
