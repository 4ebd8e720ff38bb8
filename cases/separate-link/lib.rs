//! The library: code generation and linking are two runs of rustc.
extern crate dep;

pub fn describe(n: u64) -> String {
    dep::describe(n)
}

#[no_mangle]
pub extern "C" fn separate_sum(n: u64) -> u64 {
    describe(n)["sum=".len()..].parse().unwrap()
}
