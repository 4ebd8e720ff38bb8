//! As default.rs, with the `#[global_allocator]` in a dependency.

extern crate counting;

pub fn sum(n: u64) -> u64 {
    let numbers: Vec<u64> = (0..n).collect();
    let text = numbers.iter().sum::<u64>().to_string();
    text.parse().unwrap()
}

/// Whether an allocation made here reaches this crate's allocator.
pub fn own_allocator() -> bool {
    let before = counting::allocations();
    sum(3);
    counting::allocations() > before
}

#[no_mangle]
pub extern "C" fn mixed_sum(n: u64) -> u64 {
    sum(n)
}

#[no_mangle]
pub extern "C" fn mixed_own_allocator() -> i32 {
    i32::from(own_allocator())
}

/// The entry point of the `bin` among the crate types; an ordinary function in the others.
pub fn main() {
    println!("sum={} own={}", mixed_sum(10), mixed_own_allocator());
}
