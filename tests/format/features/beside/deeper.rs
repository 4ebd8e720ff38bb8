pub const VALUE: u8 = 7;
