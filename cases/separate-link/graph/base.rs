//! The crate that two others need; the program must contain it once.
use std::sync::atomic::AtomicUsize;

pub static COUNTER: AtomicUsize = AtomicUsize::new(10);

pub fn largest<T: PartialOrd + Copy>(first: T, second: T) -> T {
    if first > second {
        first
    } else {
        second
    }
}
