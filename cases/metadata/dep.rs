//! What the crate under test takes in. As it is built as an rlib and a dylib, its own metadata
//! could be exported, too: it must not be, from anything but its own dylib.

pub fn sum(n: u64) -> u64 {
    (0..n).sum()
}

#[no_mangle]
pub extern "C" fn dep_sum(n: u64) -> u64 {
    sum(n)
}
