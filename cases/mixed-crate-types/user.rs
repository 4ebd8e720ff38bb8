//! A Rust program that uses the rlib or the dylib of the crate `mixed`.
extern crate mixed;

fn main() {
    println!("sum={} own={}", mixed::sum(10), i32::from(mixed::own_allocator()));
}
