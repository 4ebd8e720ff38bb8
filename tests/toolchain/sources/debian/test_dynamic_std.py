"""What a std that is built against a package's rlibs is told of them."""

from pathlib import Path

from linkage.toolchain.sources.debian.dynamic_std import extern_arguments


def test_the_crates_that_are_there_are_given_with_their_metadata(tmp_path: Path) -> None:
    names = (
        "core-1.rlib",
        "core-1.rmeta",
        "cfg_if-2.rlib",
        "libc-3.rlib",
        "gimli-4.rlib",
        "core_other-5.rlib",
    )
    for name in names:
        (tmp_path / f"lib{name}").touch()
    manifest = {
        "dependencies": {"core": {"path": "../core", "public": True}, "cfg-if": "1", "absent": "1"},
        "target": {"cfg(unix)": {"dependencies": {"libc": {"version": "0.2", "public": True}}}},
    }
    assert list(extern_arguments(manifest, tmp_path)) == [
        "--extern", f"priv:cfg_if={tmp_path}/libcfg_if-2.rlib",
        "--extern", f"core={tmp_path}/libcore-1.rlib", "--extern", f"core={tmp_path}/libcore-1.rmeta",
        "--extern", f"libc={tmp_path}/liblibc-3.rlib",
    ]  # fmt: skip
