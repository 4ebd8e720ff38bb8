extern crate left;
extern crate macros;
extern crate right;

pub fn describe() -> String {
    let (first, second) = (left::next(), right::next());
    let same = std::ptr::eq(left::counter(), right::counter());
    format!("left={} right={} same={} answer={}", first, second, same, macros::answer!())
}
