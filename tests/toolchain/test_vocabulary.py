"""The words that some rustc knows: recorded once, extended by the toolchains of a run."""

from dataclasses import replace

import pytest

from linkage.toolchain.vocabulary import recorded, vocabulary
from support.small_cases import toolchain


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("flag", {"-Zdylib-lto", "-Zsave-analysis", "-Zstaticlib-hide-internal-symbols", "-Clto"}),
        ("target", {"x86_64-unknown-linux-gnu", "avr-none", "x86_64-unknown-cloudabi"}),
        ("os", {"linux", "windows", "none"}),
        ("arch", {"x86_64", "riscv64"}),
        ("libc", {"gnu", "musl", "msvc"}),
        ("codegen-backend", {"llvm", "cranelift", "gcc"}),
        ("linker", {"lld", "wild"}),
        ("sanitizer", {"address", "realtime"}),
        ("crate-type", {"lib", "sdylib"}),
    ],
)
def test_words_of_compilers_old_and_new_are_recorded(key: str, words: set[str]) -> None:
    assert words <= recorded()[key]
    assert "" not in recorded()[key]


def test_a_toolchain_of_the_run_adds_its_own_words() -> None:
    made = toolchain()
    target = replace(made.capabilities.targets[0], triple="my-own-target", os="my-os", arch="my-arch")
    can = replace(
        made.capabilities,
        unstable_flags=frozenset({"my-flag"}),
        targets=(target,),
        backends=frozenset({"my-backend"}),
    )
    known = vocabulary([replace(made, capabilities=can)])
    for key, word in (
        ("flag", "-Zmy-flag"),
        ("target", "my-own-target"),
        ("os", "my-os"),
        ("arch", "my-arch"),
        ("codegen-backend", "my-backend"),
    ):
        assert word in known[key]
        assert word not in recorded()[key]
    assert known["libc"] == recorded()["libc"]
