"""The noise filters: each by itself, on and off."""

import re
from pathlib import Path

import pytest

from linkage.compare.names import Namer, crate, is_runtime, scheme, skeleton
from linkage.compare.noise_filters import (
    FILE,
    MEMBER,
    NOISE_FILTERS,
    SYMBOL,
    TEXT,
    NoiseFilters,
    without_noise,
)
from linkage.compare.normalization import section_kind
from linkage.compare.variant import wayless
from linkage.errors import LinkageError

LEGACY = "_ZN3lib3foo17h0123456789abcdefE"
V0 = "_RNvCs1a2bCdE_3lib3foo"


@pytest.mark.parametrize(
    ("rule", "name", "plain"),
    [
        ("crate-hash", LEGACY, "lib::foo"),
        ("crate-hash", V0, "lib::foo"),
        ("crate-hash", f"{LEGACY}.llvm.1234", "lib::foo"),
        ("crate-hash", "rust_metadata_lib_0123456789abcdef", "rust_metadata_lib_HASH"),
        ("crate-hash", "rust_metadata_lib_5ce6df761b0ce56", "rust_metadata_lib_HASH"),
        ("crate-hash", f"__profc_{LEGACY}", "lib::foo (__profc_)"),
        ("crate-hash", f"__profd_lib.66bff6f3a9101b8e_cgu.0_{V0}", "lib::foo (__profd_)"),
        ("crate-hash", f"{V0}$got", "lib::foo$got"),
        ("crate-hash", f"{V0}.rs952a2d5d4d11c726", "lib::foo.rsHASH"),
        ("crate-hash", "rust_eh_personality.rs952a2d5d4d11c726", "rust_eh_personality.rsHASH"),
        ("anonymous", "__covrec_741C2A48E34A9E3Au", "__covrec_*"),
        ("symbol-version", "puts@GLIBC_2.2.5", "puts"),
        ("symbol-version", "puts@@GLIBC_2.2.5", "puts"),
        ("anonymous", "anon.0123456789abcdef0123456789abcdef.17", "anon.*"),
        ("anonymous", "anon.0123456789abcdef0123456789abcdef.17.llvm.99", "anon.*"),
        ("anonymous", "alloc_0123456789abcdef0123456789abcdef", "alloc_*"),
        ("anonymous", "GCC_except_table17", "GCC_except_table*"),
        ("anonymous", "str.3", "str.*"),
        ("anonymous", "str.0.59", "str.*"),
        ("anonymous", ".Lanon.0123.4", "anon.*"),
    ],
)
def test_a_symbols_name_loses_what_its_rule_names(rule: str, name: str, plain: str) -> None:
    assert Namer(NoiseFilters())(name) == plain
    assert Namer(NoiseFilters(frozenset([rule])))(name) != plain


@pytest.mark.parametrize("name", ["answer", "foo.cold", "str", "a@", "anon", "strange.3x!"])
def test_other_names_stay(name: str) -> None:
    assert Namer(NoiseFilters())(name) == name


@pytest.mark.parametrize(
    ("rule", "text", "plain"),
    [
        ("temporary-name", "/tmp/rustcAb3xYz/x", "/tmp/rustcXXXXXX/x"),
        (
            "sanitizer-report",
            "WARNING: ThreadSanitizer: data race\n  Write by thread T1:\n    #0 f x.rs:3\n\nSUMMARY: f\n",
            "WARNING: ThreadSanitizer: data race\nSUMMARY: f\n",
        ),
        (
            "sanitizer-report",
            "ERROR: AddressSanitizer: stack-overflow\n    #0 f x.rs:3\n    #1 g x.rs:4\nSUMMARY: x\n",
            "ERROR: AddressSanitizer: stack-overflow\nSUMMARY: x\n",
        ),
        ("temporary-name", "in f (main+0x753e2)", "in f (main+0xADDRESS)"),
        ("build-id", "(BuildId: 7d12b490)", "(BuildId)"),
        ("member-name", "in main.2d997e5757711431-cgu.0", "in main.cgu"),
        (
            "temporary-name",
            "WARNING: ThreadSanitizer: data race (pid=32370)",
            "WARNING: ThreadSanitizer: data race (pid=PID)",
        ),
        ("temporary-name", "ok. 1 passed; finished in 0.01s", "ok. 1 passed; finished in TIME"),
        ("file-hash", "libstd-0123456789abcdef.so", "libstd-HASH.so"),
        ("crate-hash", f"call {LEGACY}", "call _ZN3lib3foo17hHASHE"),
        ("crate-hash", "at lib::foo::h0123456789abcdef", "at lib::foo::hHASH"),
        (
            "version",
            "the current version is `1.95.0 (59807616e 2026-04-14)`",
            "the current version is `VERSION`",
        ),
        ("version", "by rustc 1.95.0 (59807616e 2026-04-14)", "by rustc VERSION"),
    ],
)
def test_a_text_loses_what_its_rule_names(rule: str, text: str, plain: str) -> None:
    assert without_noise(text, TEXT, NoiseFilters()) == plain
    assert without_noise(text, TEXT, NoiseFilters(frozenset([rule]))) == text


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("lib.lib.a1b2c3-cgu.0.rcgu.o", "lib.lib.cgu.rcgu.o"),
        ("std-5740e47ddabbb05c.std.c05de5ba2d1dbbe2-cgu.0.rcgu.o", "std.std.cgu.rcgu.o"),
        ("lib.9nd4tsony5drdq6gl14fqe8tx.rcgu.o", "lib.unit.rcgu.o"),
        ("lib.2c4jm8xnujufpuur.rcgu.o", "lib.unit.rcgu.o"),
        ("a_long_name_2.a_long_name_2.0f3a-cgu.0.rcgu.o", "a_long_name_2.a_long_name_2.cgu.rcgu.o"),
        ("longcratename2.longcratename2.0f3a-cgu.0.rcgu.o", "longcratename2.longcratename2.cgu.rcgu.o"),
        ("top.core-120cbae4e86ec454.core.0fa2c1-cgu.0.rcgu.o.rcgu.o", "top.core.core.cgu.rcgu.o.rcgu.o"),
        ("45c91108d938afe8-absvdi2.o", "absvdi2.o"),
        ("lib.rmeta", "lib.rmeta"),
        ("one.o", "one.o"),
    ],
)
def test_a_members_name_loses_hashes_and_numbers(name: str, plain: str) -> None:
    assert without_noise(name, MEMBER, NoiseFilters()) == plain
    assert without_noise(name, MEMBER, NoiseFilters(frozenset(["member-name"]))) == name


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("state/lib-09nscz0462bth/s-hoeny2m0n1-1bneair.lock", "state/lib/s-SESSION.lock"),
        (
            "state/lib-09nscz0462bth/s-hoeny2m0n1-1bneair-6h9py8u8sdsd85sokugpjg6al/dep-graph.bin",
            "state/lib/s-SESSION/dep-graph.bin",
        ),
        (
            "state/lib-09nscz0462bth/s-hoeny2m0n1-1bneair-working/0ixo7wzbluv3xzbfqothv17z0.o",
            "state/lib/s-SESSION/UNIT.o",
        ),
    ],
)
def test_what_an_incremental_session_is_called_is_noise(name: str, plain: str) -> None:
    assert without_noise(name, FILE, NoiseFilters()) == plain
    assert without_noise(name, FILE, NoiseFilters(frozenset(["incremental"]))) == name


@pytest.mark.parametrize("name", ["s-a-b.o", "lib-0.rlib", "state/lib/s-a-b/x.o", "a-file/s-not.txt"])
def test_other_paths_than_incremental_sessions_are_unchanged(name: str) -> None:
    assert without_noise(name, FILE, NoiseFilters()) == name


@pytest.mark.parametrize(
    ("entry", "plain"),
    [
        ("$ORIGIN/../../../home/me/stage1/lib/rustlib/x/lib", "$ORIGIN/…/$SYSROOT/lib/rustlib/x/lib"),
        ("$ORIGIN/../stage1/lib/rustlib/x/lib", "$ORIGIN/…/$SYSROOT/lib/rustlib/x/lib"),
        ("$ORIGIN/../me/stage1", "$ORIGIN/…/$SYSROOT"),
        ("$ORIGIN/../lib", "$ORIGIN/../lib"),
        ("$ORIGIN/../stage10/lib", "$ORIGIN/../stage10/lib"),
        ("$ORIGIN", "$ORIGIN"),
        ("/usr/lib", "/usr/lib"),
    ],
)
def test_the_way_from_an_output_to_the_toolchain_is_noise(entry: str, plain: str) -> None:
    assert wayless(entry, {"/home/me/stage1": "$SYSROOT"}) == plain
    assert wayless(entry, {}) == entry


@pytest.mark.parametrize(
    ("legacy", "v0"),
    [
        ("alloc::vec::Vec<T,A>::push", "<alloc::vec::Vec<u8>>::push"),
        (
            "core::ptr::drop_in_place<lib::Text>",
            "core::ptr::drop_in_place::<lib::Text>",
        ),
        ("core::fmt::num::<impl core::fmt::Debug for u32>::fmt", "<u32 as core::fmt::Debug>::fmt"),
        ("core::slice::<impl [T]>::iter", "<[u64]>::iter"),
        ("core::slice::<impl [T]>::iter", "<[lib::Mask]>::iter"),
        ("<[lib::Mask; 2] as core::fmt::Debug>::fmt", "<[lib::Mask; 2] as core::fmt::Debug>::fmt"),
        ("lib::KEY::{{constant}}::{{closure}}", "lib::KEY::{K#0}::{closure#0}"),
        ("core::ptr::const_ptr::<impl *const T>::is_aligned_to", "<*const ()>::is_aligned_to"),
        ("std::rt::lang_start::{{closure}}", "std::rt::lang_start::<()>::{closure#0}"),
        ("<fn() -> X as core::ops::Fn>::call", "<fn() -> X as core::ops::Fn<()>>::call"),
    ],
)
def test_both_mangling_schemes_have_one_skeleton(legacy: str, v0: str) -> None:
    assert skeleton(legacy) == skeleton(v0)


def test_a_slice_inside_a_path_is_not_the_path_itself() -> None:
    name = "<[T]::to_vec::Convert>::to_vec::Guard<lib::A>"
    assert "Convert>" not in skeleton(name) or skeleton(name).startswith("<")


@pytest.mark.parametrize("name", ["<<<", "a::<b", "><::", "<a as b", "::", "->::", "<>::<>"])
def test_name_that_is_not_a_path_has_a_skeleton(name: str) -> None:
    assert isinstance(skeleton(name), str)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("std::io::stdio::_print", "std"),
        ("<u8 as lib::Trait>::f", "lib"),
        ("<[u64]>::iter", "core"),
        ("str::to_titlecase", "core"),
        ("*const T::is_aligned_to", "core"),
        ("<&mut lib::Foo as core::fmt::Debug>::fmt", "lib"),
        ("__rustc::__rust_alloc", "__rustc"),
        ("main", None),
    ],
)
def test_the_crate_of_a_name(name: str, found: str | None) -> None:
    assert crate(name) == found
    assert is_runtime(name) == (found in ("std", "core"))


def test_how_a_name_is_mangled() -> None:
    assert [scheme(name) for name in (LEGACY, V0, "answer", "_ZN3fooEv", "_R")] == [
        "legacy",
        "v0",
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (".text.foo", ".text.*"),
        (".text", ".text"),
        (".data.rel.ro.x", ".data.rel.ro.*"),
        (".rela.text.foo", ".rela.text.*"),
        (".text.unlikely.foo", ".text.unlikely.*"),
        (".text.unlikely.", ".text.unlikely.*"),
        (".text.unlikely", ".text.unlikely"),
        (".rodata.cst16", ".rodata.cst16"),
        (".note.GNU-stack", ".note.GNU-stack"),
        (".debug_info", ".debug_info"),
        ("", "(nameless)"),
    ],
)
def test_a_section_that_is_for_one_symbol_goes_without_its_name(name: str, kind: str) -> None:
    assert section_kind(name) == kind


def test_every_filter_is_documented() -> None:
    assert {one.filter for one in (*TEXT, *SYMBOL, *MEMBER, *FILE)} <= NOISE_FILTERS.keys()
    assert all(re.fullmatch(r"[a-z-]+", name) for name in NOISE_FILTERS)


def test_unknown_filter_is_reported() -> None:
    with pytest.raises(LinkageError, match=r"no noise filter is called `crate-hsh` \(help: .*crate-hash"):
        NoiseFilters.without(["crate-hsh"])


def test_the_document_tells_of_every_rule() -> None:
    text = (Path(__file__).parents[2] / "docs" / "compare.md").read_text()
    assert [f"| `{name}` | {why} |" for name, why in NOISE_FILTERS.items()] == [
        line for line in text.splitlines() if line.startswith("| `")
    ]
