//! A program that allocates and frees through std's default allocator, a fixed number of times.

#[no_mangle]
#[inline(never)]
pub fn allocate(n: u64) -> Box<[u64; 4]> {
    Box::new([n; 4])
}

#[no_mangle]
#[inline(never)]
pub fn release(numbers: Box<[u64; 4]>) -> u64 {
    numbers[2]
}

#[no_mangle]
#[inline(never)]
pub fn work(times: u64) -> u64 {
    let mut sum = 0;
    for n in 0..times {
        sum += release(allocate(n));
    }
    sum
}

fn main() {
    println!("sum={}", work(1000));
}
