"""What a generated crate can contain: a table of kinds, each with its Rust and what it adds to the answer.

In the texts, `CRATE` is the crate's name, `NUMBER` its number for this content and `PATH` the path to the
crate: `crate` inside it, its name in a crate that depends on it. The answer is the model's prediction: it
follows from the text alone. Pure data.
"""

from collections.abc import Callable
from dataclasses import dataclass


def _plus(extra: int) -> Callable[[int, int], int]:
    return lambda number, _: number + extra


def _count(number: int, before: int) -> int:
    return number + before + 1


@dataclass(frozen=True, slots=True)
class ContentKind:
    """One kind of content."""

    items: str
    """The crate's items."""
    call: str
    """An expression of type u64 that uses them."""
    result: Callable[[int, int], int]
    """The expression's value, from the crate's number and how often it was evaluated before."""
    cross: bool = False
    """Whether crates that depend on this one evaluate the expression, too."""
    names: tuple[str, ...] = ()
    """The C names that it defines."""
    std: bool = False
    """Whether it needs std."""
    unwinding: bool = False
    """Whether it needs `panic=unwind`."""
    native: str = ""
    """C that a static library made of it defines."""
    once: bool = False
    """Whether at most one crate of a graph can have it."""
    arch: str = ""
    """The only architecture that it is written for."""


_NATIVE = "unsigned long long CRATE_native(unsigned long long x) { return x + 3; }\n"

CONTENTS: dict[str, ContentKind] = {
    "c-named": ContentKind(
        '#[no_mangle] pub extern "C" fn CRATE_plain(x: u64) -> u64 { x + 1 }',
        "PATH::CRATE_plain(NUMBER)", _plus(1), cross=True, names=("CRATE_plain",),
    ),
    "export-name": ContentKind(
        '#[export_name = "CRATE_renamed"] pub extern "C" fn other_name(x: u64) -> u64 { x + 2 }',
        "PATH::other_name(NUMBER)", _plus(2), cross=True, names=("CRATE_renamed",),
    ),
    "exported-static": ContentKind(
        "#[no_mangle] pub static CRATE_table: [u64; 3] = [NUMBER, 1, 2];",
        "PATH::CRATE_table[0] + PATH::CRATE_table[2]", _plus(2), cross=True, names=("CRATE_table",),
    ),
    "function": ContentKind(
        "pub fn function(x: u64) -> u64 { inner(x) + inner(4) }\n"
        "#[inline(never)] fn inner(x: u64) -> u64 { x }",
        "PATH::function(NUMBER)", _plus(4), cross=True,
    ),
    "generic": ContentKind(
        "pub fn generic<T: Into<u64>>(x: T) -> u64 { x.into() + hidden() }\n"
        "#[inline(never)] fn hidden() -> u64 { 5 }",
        "PATH::generic(NUMBERu32)", _plus(5), cross=True,
    ),
    "inline": ContentKind(
        "#[inline] pub fn inlined(x: u64) -> u64 { x + 6 }",
        "PATH::inlined(NUMBER)", _plus(6), cross=True,
    ),
    "cold": ContentKind(
        "#[cold] #[inline(never)] pub fn cold(x: u64) -> u64 { x + 7 }",
        "PATH::cold(NUMBER)", _plus(7), cross=True,
    ),
    "static": ContentKind(
        "pub static VISITS: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);",
        "NUMBER + PATH::VISITS.fetch_add(1, core::sync::atomic::Ordering::Relaxed) + 1", _count, cross=True,
    ),
    "inline-static": ContentKind(
        "#[inline] pub fn counted() -> u64 {\n"
        "    static CALLS: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);\n"
        "    CALLS.fetch_add(1, core::sync::atomic::Ordering::Relaxed) + 1\n}",
        "NUMBER + PATH::counted()", _count, cross=True,
    ),
    "thread-local": ContentKind(
        "std::thread_local! { pub static LOCAL: std::cell::Cell<u64> = std::cell::Cell::new(0); }",
        "NUMBER + PATH::LOCAL.with(|one| { one.set(one.get() + 1); one.get() })",
        _count, cross=True, std=True,
    ),
    "constructor": ContentKind(
        "static STARTED: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);\n"
        'extern "C" fn start() { STARTED.fetch_add(1, core::sync::atomic::Ordering::Relaxed); }\n'
        '#[used] #[link_section = ".init_array"] static START: extern "C" fn() = start;\n'
        "pub fn started() -> u64 { STARTED.load(core::sync::atomic::Ordering::Relaxed) }",
        "NUMBER + PATH::started()", _plus(1), cross=True,
    ),
    "drop-glue": ContentKind(
        "static DROPS: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);\n"
        "pub struct Dropped<T>(pub T);\n"
        "impl<T> Drop for Dropped<T> {\n"
        "    fn drop(&mut self) { DROPS.fetch_add(1, core::sync::atomic::Ordering::Relaxed); }\n}\n"
        "pub fn drops() -> u64 { DROPS.load(core::sync::atomic::Ordering::Relaxed) }",
        "{ drop(PATH::Dropped((1u8, 2u64))); NUMBER + PATH::drops() }", _count, cross=True,
    ),
    "trait-object": ContentKind(
        "pub trait Shape: Sync { fn area(&self) -> u64; fn twice(&self) -> u64 { 2 * self.area() } }\n"
        "struct Square(u64);\n"
        "impl Shape for Square { fn area(&self) -> u64 { self.0 } }\n"
        "pub fn shape() -> &'static dyn Shape { static ONE: Square = Square(NUMBER); &ONE }",
        "PATH::shape().twice() - PATH::shape().area()", _plus(0), cross=True,
    ),
    "function-pointers": ContentKind(
        "fn first(x: u64) -> u64 { x + 8 }\nfn second(x: u64) -> u64 { x }\n"
        "pub static POINTERS: [fn(u64) -> u64; 2] = [first, second];",
        "PATH::POINTERS.iter().fold(NUMBER, |x, each| each(x))", _plus(8), cross=True,
    ),
    "type-id": ContentKind(
        "pub struct Marker;\n"
        "pub fn marker() -> core::any::TypeId { core::any::TypeId::of::<Marker>() }",
        "NUMBER + (PATH::marker() == core::any::TypeId::of::<PATH::Marker>()) as u64", _plus(1), cross=True,
    ),
    "wide-division": ContentKind(
        "#[inline(never)] pub fn divided(x: u128, by: u128) -> u128 { x / by }",
        "NUMBER + PATH::divided(90u128 << 70, 10u128 << 70) as u64", _plus(9), cross=True,
    ),
    "const-generic": ContentKind(
        "pub struct Row<const N: usize>(pub [u64; N]);\n"
        "impl<const N: usize> Row<N> { pub fn total(&self) -> u64 { self.0.iter().sum() } }",
        "PATH::Row([NUMBER, 5, 6]).total()", _plus(11), cross=True,
    ),
    "assembly": ContentKind(
        'core::arch::global_asm!(".globl CRATE_asm", ".type CRATE_asm,@function", "CRATE_asm:", '
        '"lea rax, [rdi + 12]", "ret");\n'
        'extern "C" { fn CRATE_asm(x: u64) -> u64; }\n'
        "pub fn from_assembly(x: u64) -> u64 { unsafe { CRATE_asm(x) } }",
        "PATH::from_assembly(NUMBER)", _plus(12), cross=True, arch="x86_64",
    ),
    "native-function": ContentKind(
        '#[link(name = "CRATE_native", kind = "static")] extern "C" { fn CRATE_native(x: u64) -> u64; }\n'
        "pub fn from_c(x: u64) -> u64 { unsafe { CRATE_native(x) } }",
        "PATH::from_c(NUMBER)", _plus(3), cross=True, native=_NATIVE,
    ),
    "native-static": ContentKind(
        '#[link(name = "CRATE_data", kind = "static")] extern "C" { static CRATE_datum: u64; }\n'
        "pub fn datum() -> u64 { unsafe { CRATE_datum } }",
        "NUMBER + PATH::datum()", _plus(13), cross=True,
        native="unsigned long long CRATE_datum = 13;\n",
    ),
    "allocation": ContentKind(
        "pub fn allocated(x: u64) -> u64 {\n"
        "    let numbers: Vec<u64> = (0..x).collect();\n"
        '    let text = numbers.iter().map(|one| one.to_string()).collect::<Vec<String>>().join("-");\n'
        "    text.split('-').count() as u64\n}",
        "PATH::allocated(NUMBER)", _plus(0), cross=True, std=True,
    ),
    "zeroed-allocation": ContentKind(
        "#[inline(never)] pub fn zeroed(x: usize) -> u64 {\n"
        "    let mut numbers = vec![0u64; x]; numbers.resize(2 * x, 1); numbers.iter().sum()\n}",
        "PATH::zeroed(NUMBER)", _plus(0), cross=True, std=True,
    ),
    "hash-map": ContentKind(
        "pub fn mapped(x: u64) -> u64 {\n"
        "    let pairs = (0..x).map(|n| (n, Box::new(n)));\n"
        "    pairs.collect::<std::collections::HashMap<u64, Box<u64>>>().len() as u64\n}",
        "PATH::mapped(NUMBER)", _plus(0), cross=True, std=True,
    ),
    "caught-panic": ContentKind(
        "pub fn caught(x: u64) -> u64 {\n"
        "    match std::panic::catch_unwind(|| -> u64 { std::panic::resume_unwind(Box::new(x)) }) {\n"
        "        Ok(_) => 0,\n"
        "        Err(payload) => *payload.downcast::<u64>().unwrap(),\n    }\n}",
        "PATH::caught(NUMBER)", _plus(0), cross=True, std=True, unwinding=True,
    ),
    "thread": ContentKind(
        "pub fn threaded(x: u64) -> u64 { std::thread::spawn(move || x).join().unwrap() }",
        "PATH::threaded(NUMBER)", _plus(0), cross=True, std=True,
    ),
    "global-allocator": ContentKind(
        "pub struct Counting(std::sync::atomic::AtomicUsize);\n"
        "unsafe impl std::alloc::GlobalAlloc for Counting {\n"
        "    unsafe fn alloc(&self, layout: std::alloc::Layout) -> *mut u8 {\n"
        "        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);\n"
        "        std::alloc::GlobalAlloc::alloc(&std::alloc::System, layout)\n    }\n"
        "    unsafe fn dealloc(&self, place: *mut u8, layout: std::alloc::Layout) {\n"
        "        std::alloc::GlobalAlloc::dealloc(&std::alloc::System, place, layout)\n    }\n}\n"
        "#[global_allocator] static ALLOCATOR: Counting = Counting(std::sync::atomic::AtomicUsize::new(0));\n"
        "pub fn allocations() -> usize { ALLOCATOR.0.load(std::sync::atomic::Ordering::Relaxed) }",
        "{ let before = PATH::allocations(); drop(std::hint::black_box(Box::new(before))); "
        "NUMBER + (PATH::allocations() > before) as u64 }",
        _plus(1), cross=True, std=True, once=True,
    ),
}  # fmt: skip
"""Each kind by its name."""


def number_of(crate: int, kind: str) -> int:
    """The crate's number for this content: small, and another one in each crate."""
    return 1 + crate + 3 * list(CONTENTS).index(kind) % 50


def filled(text: str, name: str, number: int, path: str = "crate") -> str:
    """A text of the table for one crate."""
    return text.replace("CRATE", name).replace("NUMBER", str(number)).replace("PATH", path)
