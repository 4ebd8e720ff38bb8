//! The library that LTO is done for.
#![no_std]

pub extern crate base;
pub extern crate dep;

pub fn answer(n: u64) -> u64 {
    base::triple(dep::double(n)).wrapping_add(1)
}

/// Generic code is compiled in the user's crate, and calls into the library.
pub fn total<T: Copy + Into<u64>>(numbers: &[T]) -> u64 {
    numbers.iter().map(|&n| answer(n.into())).sum()
}

#[no_mangle]
pub extern "C" fn shared_answer(n: u64) -> u64 {
    base::triple(dep::double(n))
}

#[no_mangle]
pub extern "C" fn shared_calls() -> usize {
    base::calls()
}
