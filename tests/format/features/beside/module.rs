pub const NAME: &str = "beside";
#[path = "deeper.rs"]
pub mod deeper;
