//! Another library that uses the library: a dylib, or a cdylib for C.
#![no_std]

pub extern crate shared;

pub fn twice(n: u64) -> u64 {
    shared::answer(shared::total(&[n]))
}

/// Replaces `shared_answer` in main.c.
#[no_mangle]
pub extern "C" fn over_answer(n: u64) -> u64 {
    shared::answer(n)
}

#[no_mangle]
pub extern "C" fn over_calls() -> usize {
    shared::base::calls()
}
