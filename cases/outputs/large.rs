#![no_std]

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

macro_rules! sixteen {
    ($s:ident, $p:ident) => {
        $s ^= core::ptr::read_volatile($p);
        $s ^= core::ptr::read_volatile($p.add(1));
        $s ^= core::ptr::read_volatile($p.add(2));
        $s ^= core::ptr::read_volatile($p.add(3));
        $s ^= core::ptr::read_volatile($p.add(4));
        $s ^= core::ptr::read_volatile($p.add(5));
        $s ^= core::ptr::read_volatile($p.add(6));
        $s ^= core::ptr::read_volatile($p.add(7));
        $s ^= core::ptr::read_volatile($p.add(8));
        $s ^= core::ptr::read_volatile($p.add(9));
        $s ^= core::ptr::read_volatile($p.add(10));
        $s ^= core::ptr::read_volatile($p.add(11));
        $s ^= core::ptr::read_volatile($p.add(12));
        $s ^= core::ptr::read_volatile($p.add(13));
        $s ^= core::ptr::read_volatile($p.add(14));
        $s ^= core::ptr::read_volatile($p.add(15));
    };
}

macro_rules! repeated {
    ($($name:ident)*) => {
        $(
            #[no_mangle]
            pub unsafe extern "C" fn $name(p: *const u32) -> u32 {
                let mut sum_of_words = 0;
                sixteen!(sum_of_words, p);
                sixteen!(sum_of_words, p);
                sixteen!(sum_of_words, p);
                sixteen!(sum_of_words, p);
                sum_of_words
            }
        )*
    };
}

pub mod a {
    repeated!(in_a in_a_0 in_a_1 in_a_2 in_a_3 in_a_4 in_a_5 in_a_6);
}
pub mod b {
    repeated!(in_b in_b_0 in_b_1 in_b_2 in_b_3 in_b_4 in_b_5 in_b_6);
}
pub mod c {
    repeated!(in_c in_c_0 in_c_1 in_c_2 in_c_3 in_c_4 in_c_5 in_c_6);
}
pub mod d {
    repeated!(in_d in_d_0 in_d_1 in_d_2 in_d_3 in_d_4 in_d_5 in_d_6);
}
