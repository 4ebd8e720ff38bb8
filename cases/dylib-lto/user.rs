//! A program that uses the dylib, and through it the rlib inside.
extern crate shared;

fn main() {
    println!("{}", shared::describe(10));
    println!("{}={}", shared::join(&[1, 2, 3]), shared::dep::sum(4));
    let caught = std::panic::catch_unwind(|| shared::describe(u64::MAX));
    println!("caught={}", caught.is_err());
}
