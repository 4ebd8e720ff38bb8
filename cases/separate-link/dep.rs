//! What every crate of this case depends on; it allocates, so that std's allocator is needed.

pub fn sum(n: u64) -> u64 {
    let numbers: Vec<u64> = (0..n).collect();
    numbers.iter().sum()
}

#[inline]
pub fn describe(n: u64) -> String {
    format!("sum={}", sum(n))
}
