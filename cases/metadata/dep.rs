//! What the crate under test contains. It is built as an rlib and a dylib, and only its own dylib may
//! export its metadata.

pub fn sum(n: u64) -> u64 {
    (0..n).sum()
}

#[no_mangle]
pub extern "C" fn dep_sum(n: u64) -> u64 {
    sum(n)
}
