//! A Rust program that uses the proc-macro.
extern crate subject;

fn main() {
    println!("{}", subject::described!());
}
