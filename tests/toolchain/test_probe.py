"""Real compilers report their capabilities; fake ones give errors of one line."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from linkage.errors import ToolchainError
from linkage.toolchain import Located, Toolchain, describe, probe, resolve
from linkage.toolchain.vocabulary import recorded
from support.fake_compiler import FakeRustc, false_rustc


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def probed(found_toolchains: list[Located], cache: Path) -> list[Toolchain]:
    return [probe(located, cache) for located in found_toolchains]


def failure(script: Path, cache: Path, *, time_limit: float = 30) -> str:
    with pytest.raises(ToolchainError) as caught:
        probe(resolve(str(script), os.environ), cache, time_limit=time_limit)
    text = str(caught.value)
    assert text.startswith("toolchain fake: ")
    assert "\n" not in text
    return text


def test_what_real_compilers_say(probed: list[Toolchain]) -> None:
    for toolchain in probed:
        first_line = subprocess.check_output([toolchain.rustc, "-V"], text=True)
        assert ".".join(map(str, toolchain.version.release)) in first_line
        host = toolchain.target()
        assert host is not None
        assert host.triple == toolchain.host
        assert host.libdir.is_dir()
        assert (host.has_core, host.has_std) == (True, True)
        assert host.triple.startswith(host.arch)
        assert host.os in host.triple
        if host.libc:
            assert host.libc in host.triple
        assert {"bin", "rlib", "dylib", "cdylib", "staticlib", "proc-macro"} <= {
            o.crate_type for o in host.outputs
        }
        assert toolchain.has_codegen("prefer-dynamic")
        assert toolchain.has_codegen("prefer_dynamic")
        assert toolchain.has_unstable("no-link")
        assert not toolchain.has_unstable("no-such-flag")
        assert toolchain.has_backend("llvm")
        assert {f"-Z{flag}" for flag in toolchain.capabilities.unstable_flags} <= recorded()["flag"]
        assert toolchain.needs_bootstrap is (toolchain.version.channel in ("stable", "beta"))


def test_outputs_are_called_as_rustc_calls_them(probed: list[Toolchain], tmp_path: Path) -> None:
    source = tmp_path / "lib.rs"
    source.write_text("#![no_std]\n")
    toolchain = probed[0]
    host = toolchain.target()
    assert host is not None
    rlib = host.output("lib")
    assert rlib == host.output("rlib")
    assert rlib is not None
    subprocess.run(
        [toolchain.rustc, "--crate-type=rlib", "--crate-name=some", source], cwd=tmp_path, check=True
    )
    assert (tmp_path / rlib.file("some")).is_file()


def test_a_target_that_is_not_installed(probed: list[Toolchain]) -> None:
    toolchain = probed[0]
    assert toolchain.target("no-such-target") is None
    assert not toolchain.dynamic_std("no-such-target")
    assert not toolchain.supports_crate_type("rlib", "no-such-target")
    assert not toolchain.supports_crate_type("no-such-type")


def test_listing_has_the_same_answers(probed: list[Toolchain]) -> None:
    for toolchain in probed:
        rows = dict(describe(toolchain))
        assert rows["version"] == str(toolchain.version)
        assert "crate types: " in rows[f"target {toolchain.host}"]


def test_answers_are_remembered(
    found_toolchains: list[Located], probed: list[Toolchain], cache: Path
) -> None:
    for located, toolchain in zip(found_toolchains, probed, strict=True):
        assert probe(located, cache) == toolchain


def test_a_remembered_answer_asks_only_what_the_fingerprint_needs(
    tmp_path: Path, fake_rustc: FakeRustc
) -> None:
    script = fake_rustc(f'echo "$*" >> {tmp_path}/asked\n' + false_rustc(tmp_path))
    located = resolve(str(script), {})
    first = probe(located, tmp_path / "cache", os.environ)
    (tmp_path / "asked").unlink()
    assert probe(located, tmp_path / "cache", os.environ) == first
    assert (tmp_path / "asked").read_text().splitlines() == ["-vV", "--print sysroot"]


def test_a_copy_of_a_script_is_not_asked_all_again(tmp_path: Path, fake_rustc: FakeRustc) -> None:
    script = fake_rustc(f'echo "$*" >> {tmp_path}/asked\n' + false_rustc(tmp_path))
    first = probe(resolve(str(script), {}), tmp_path / "cache", os.environ)
    copy = tmp_path / "elsewhere/rustc"
    copy.parent.mkdir()
    shutil.copy(script, copy)
    (tmp_path / "asked").unlink()
    second = probe(resolve(str(copy), {}), tmp_path / "cache", os.environ)
    assert (tmp_path / "asked").read_text().splitlines() == ["-vV", "--print sysroot"]
    assert (second.rustc, second.capabilities.rustc) == (copy, copy)
    assert replace(second.capabilities, rustc=script) == first.capabilities


def test_many_at_once_ask_once(tmp_path: Path, fake_rustc: FakeRustc) -> None:
    script = fake_rustc(f'echo "$*" >> {tmp_path}/asked\n' + false_rustc(tmp_path))
    located = resolve(str(script), {})
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: probe(located, tmp_path / "cache", os.environ), range(4)))
    assert len(set(answers)) == 1
    assert (tmp_path / "asked").read_text().splitlines().count("-C help") == 1


@pytest.mark.parametrize("damage", [b"", b"\xc1", b"\x80", b"\x81\xa5rustc\x01"])
def test_a_damaged_answer_is_asked_for_again(tmp_path: Path, fake_rustc: FakeRustc, damage: bytes) -> None:
    located = resolve(str(fake_rustc(false_rustc(tmp_path))), {})
    first = probe(located, tmp_path / "cache", os.environ)
    (remembered,) = (tmp_path / "cache/probes").glob("*.msgpack")
    remembered.write_bytes(damage)
    assert probe(located, tmp_path / "cache", os.environ) == first
    assert remembered.read_bytes() != damage


def test_a_compiler_that_can_do_little(tmp_path: Path, fake_rustc: FakeRustc) -> None:
    toolchain = probe(resolve(str(fake_rustc(false_rustc(tmp_path))), {}), tmp_path / "cache", os.environ)
    assert toolchain.needs_bootstrap
    assert toolchain.has_unstable("dylib_lto")
    host = toolchain.target()
    assert host is not None
    assert (host.has_core, host.dynamic_std, host.std_bitcode, host.profiler) == (False, False, False, False)
    assert [(output.crate_type, output.file("x")) for output in host.outputs] == [
        ("bin", "x.wasm"),
        ("rlib", "libx.rlib"),
    ]
    assert not toolchain.supports_crate_type("dylib")


def test_contents_of_the_sysroot_are_found(tmp_path: Path, fake_rustc: FakeRustc) -> None:
    rustlib = tmp_path / "lib/rustlib"
    host = "x86_64-unknown-linux-gnu"
    for name in (
        f"{host}/lib/libcore-1.rlib",
        f"{host}/lib/libstd-1.rlib",
        f"{host}/lib/libstd-1.so",
        f"{host}/lib/libprofiler_builtins-1.rlib",
        f"{host}/lib/librustc-nightly_rt.asan.a",
        f"{host}/lib/librustc-nightly_rt.hwasan.a",
        f"{host}/bin/rust-lld",
        f"{host}/codegen-backends/librustc_codegen_cranelift-1.97.0-nightly.so",
        "wasm32-unknown-unknown/lib/libcore-1.rlib",
        "no-core/lib/libother-1.rlib",
    ):
        (rustlib / name).parent.mkdir(parents=True, exist_ok=True)
        (rustlib / name).write_bytes(b"!<arch>\n.llvmbc" if "libstd-1.rlib" in name else b"")
    toolchain = probe(resolve(str(fake_rustc(false_rustc(tmp_path))), {}), tmp_path / "cache", os.environ)
    assert [target.triple for target in toolchain.targets] == [host, "wasm32-unknown-unknown"]
    assert toolchain.dynamic_std()
    assert toolchain.std_bitcode()
    assert toolchain.profiler()
    assert [name for name in ("address", "leak", "hwaddress") if toolchain.has_sanitizer(name)] == [
        "address",
        "hwaddress",
    ]
    assert not toolchain.has_sanitizer("address", "wasm32-unknown-unknown")
    assert toolchain.has_backend("cranelift")
    assert toolchain.capabilities.rust_lld == rustlib / host / "bin/rust-lld"


def test_dangling_link_is_not_a_dynamic_std(tmp_path: Path, fake_rustc: FakeRustc) -> None:
    libdir = tmp_path / "lib/rustlib/x86_64-unknown-linux-gnu/lib"
    libdir.mkdir(parents=True)
    (libdir / "libstd-1.so").symlink_to("nowhere.so")
    toolchain = probe(resolve(str(fake_rustc(false_rustc(tmp_path))), {}), tmp_path / "cache", os.environ)
    assert not toolchain.dynamic_std()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "exit 0",
            "is not a rustc: `{path} -vV`: it printed nothing (help: name the executable of a rustc)",
        ),
        ("echo clang 14", "is not a rustc: `{path} -vV`: it printed 'clang 14'"),
        ("head -c 5000 /dev/urandom", "is not a rustc: `{path} -vV`: it printed "),
        ("echo oh no >&2; exit 7", "is not a rustc: `{path} -vV`: exit status 7: 'oh no'"),
        ("kill -SEGV $$", "is not a rustc: `{path} -vV`: was killed by SIGSEGV, without output"),
        ("yes", "`{path} -vV` printed more than 8 MiB, which no rustc does"),
    ],
)
def test_program_that_is_not_a_rustc(fake_rustc: FakeRustc, tmp_path: Path, body: str, said: str) -> None:
    script = fake_rustc(body)
    assert said.format(path=script) in failure(script, tmp_path / "cache")


def test_a_rustc_that_hangs(fake_rustc: FakeRustc, tmp_path: Path) -> None:
    script = fake_rustc("sleep 1000")
    assert f"`{script} -vV` did not answer within 0.5 s" in failure(
        script, tmp_path / "cache", time_limit=0.5
    )


def test_a_rustc_that_breaks_off_later(fake_rustc: FakeRustc, tmp_path: Path) -> None:
    rest = '"-C help") echo "thread rustc panicked" >&2; exit 101 ;;'
    script = fake_rustc(false_rustc(tmp_path, rest=rest))
    text = failure(script, tmp_path / "cache")
    assert "does not list its codegen options: " in text
    assert "-C help`: exit status 101: 'thread rustc panicked'" in text


def test_a_rustc_with_strange_answers(fake_rustc: FakeRustc, tmp_path: Path) -> None:
    strange = {
        "release": (
            false_rustc(tmp_path, release="one"),
            "does not print the version of a rustc: 'one' is not a rustc release",
        ),
        "host": (false_rustc(tmp_path, host="../../x"), "does not print its host"),
        "sysroot": (
            false_rustc(tmp_path / "none"),
            "none' is not a folder (help: name a rustc with its sysroot)",
        ),
        "libdir": (
            false_rustc(tmp_path, rest='"--print target-libdir") echo one; echo two ;;'),
            "does not answer --print target-libdir: ",
        ),
    }
    for body, said in strange.values():
        assert said in failure(fake_rustc(body), tmp_path / "cache")


def test_a_text_file_with_the_x_bit(tmp_path: Path) -> None:
    script = tmp_path / "fake"
    script.write_text("this is no program\n")
    script.chmod(0o755)
    assert "cannot be started: Exec format error (help: name the executable of a rustc" in failure(
        script, tmp_path / "c"
    )
