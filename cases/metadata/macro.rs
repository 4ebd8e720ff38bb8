//! The proc-macro under test. Its C function is for nobody.
extern crate dep;
extern crate proc_macro;

use proc_macro::TokenStream;

#[no_mangle]
extern "C" fn macro_sum(n: u64) -> u64 {
    dep::sum(n)
}

#[proc_macro]
pub fn described(_: TokenStream) -> TokenStream {
    format!("\"sum={}\"", macro_sum(10)).parse().unwrap()
}
