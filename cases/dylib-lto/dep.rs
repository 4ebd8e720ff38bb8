//! An rlib that the dylib contains; a user of the dylib calls it there.

pub fn sum(n: u64) -> u64 {
    let numbers: Vec<u64> = (0..n).collect();
    numbers.iter().sum()
}
