//! The program under test.
extern crate dep;

fn main() {
    println!("sum={}", dep::sum(10));
}
