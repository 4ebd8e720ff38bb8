//! The code that is counted: Rust's or C's `main` calls it ten times.

#[no_mangle]
#[inline(never)]
pub extern "C" fn counted(n: u32) -> u32 {
    let mut sum = 0;
    for x in 0..n {
        sum += third(x);
    }
    sum
}

#[inline(never)]
fn third(x: u32) -> u32 {
    if x % 3 == 0 {
        x
    } else {
        0
    }
}

/// The entry point of a program; an ordinary function in a library.
pub fn main() {
    println!("{}", counted(10));
}
