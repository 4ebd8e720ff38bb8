//! The program: code generation and linking are two runs of rustc.
extern crate dep;

fn main() {
    println!("{}", dep::describe(10));
}
