//! A Rust program that uses the rlib or the dylib of the crate `separate`.
extern crate separate;

fn main() {
    println!("{}", separate::describe(10));
}
