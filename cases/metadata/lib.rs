//! The library under test.
extern crate dep;

pub struct Sum(pub u64);

pub fn describe(n: u64) -> String {
    format!("sum={}", dep::sum(n))
}

#[no_mangle]
pub extern "C" fn lib_sum(n: u64) -> u64 {
    dep::sum(n)
}
