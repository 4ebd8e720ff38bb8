//! A Rust program that uses the proc-macro `separate`.
fn main() {
    println!("{}", separate::described!());
}
