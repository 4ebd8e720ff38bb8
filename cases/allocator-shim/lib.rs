//! A library that allocates, with a generic and a plain function, for Rust and for C.

pub fn sum(n: u64) -> u64 {
    let numbers: Vec<u64> = (0..n).collect();
    let text = numbers.iter().sum::<u64>().to_string();
    text.parse().unwrap()
}

#[no_mangle]
pub extern "C" fn lib_sum(n: u64) -> u64 {
    sum(n)
}
