//! The dylib that LTO is done for.
pub extern crate dep;

pub fn describe(n: u64) -> String {
    format!("sum={}", dep::sum(n))
}

/// Generic code is compiled in the user's crate, and calls into the dylib.
pub fn join<T: ToString>(parts: &[T]) -> String {
    let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
    separated(&parts)
}

fn separated(parts: &[String]) -> String {
    parts.join("+")
}

#[no_mangle]
pub extern "C" fn dylib_sum(n: u64) -> u64 {
    dep::sum(n)
}
