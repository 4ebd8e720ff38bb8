//! What LTO includes in the crate under test; no std, so that LTO is fast.
#![no_std]

/// Not generic and not inline: only LTO can bring it into the crate that calls it.
#[no_mangle]
pub extern "C" fn dep_sum(n: u64) -> u64 {
    let mut sum = 0;
    let mut i = 0;
    while i < n {
        sum += i ^ (sum & 1) & 0;
        i += 1;
    }
    sum
}
