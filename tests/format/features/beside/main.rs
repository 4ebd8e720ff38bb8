mod module;
fn main() {
    println!("{} {}", module::NAME, module::deeper::VALUE);
}
