extern crate base;

use std::sync::atomic::{AtomicUsize, Ordering};

pub fn counter() -> &'static AtomicUsize {
    &base::COUNTER
}

pub fn next() -> usize {
    base::largest(1, counter().fetch_add(1, Ordering::Relaxed) + 1)
}
