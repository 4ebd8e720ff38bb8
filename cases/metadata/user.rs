//! A Rust program that uses the rlib or the dylib.
extern crate subject;

fn main() {
    println!("{}", subject::describe(10));
}
