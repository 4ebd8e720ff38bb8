extern crate top;

fn main() {
    println!("{}", top::describe());
}
