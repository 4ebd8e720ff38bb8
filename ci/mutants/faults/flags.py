"""Faults in the handling of flags."""

from mutants.faults.call import Call
from mutants.faults.fault import Fault, dropped

_LINKED = ("staticlib", "cdylib", "dylib", "bin", "proc-macro")


def _typed(old: str, new: str, call: Call) -> list[str]:
    return [new if word == f"--crate-type={old}" else word for word in call.words]


def _first_type(call: Call) -> list[str]:
    words = [word for word in call.words if not word.startswith("--crate-type=")]
    return [*words, f"--crate-type={call.crate_types[0]}"]


def _with_lto(call: Call) -> list[str]:
    more = ["-Zdylib-lto"] if "dylib" in call.crate_types else []
    return [*call.without("-Clto=*"), "-Clto=thin", *more]


def _static_for_dylib(call: Call) -> list[str]:
    return [word.replace("-ldylib=", "-lstatic=") for word in call.words]


FAULTS = (
    dropped(
        "prefer-dynamic-ignored",
        "std is linked statically despite -Cprefer-dynamic",
        "-Cprefer-dynamic",
        breaks=("needed",),
    ),
    Fault(
        "prefer-dynamic-always",
        "rust-lang/rust#145962: the dependency format of one crate type is used for another",
        lambda call: (
            call.makes(*_LINKED) and not call.link_only and not call.has("-Cprefer-dynamic", "-Clto*")
        ),
        ("needed.none", "needed.only", "needed"),
        argv=lambda call: [*call.words, "-Cprefer-dynamic"],
    ),
    dropped(
        "lto-off",
        "rust-lang/rust#145955: LTO is silently skipped",
        "-Clto=fat",
        "-Clto=thin",
        breaks=("members", "crates", "references", "defines", "stderr"),
        also=lambda call: not call.link_only,
        with_=("-Zdylib-lto",),
    ),
    Fault(
        "lto-always",
        "LTO is done although it is off",
        lambda call: call.compiles and call.has("-Clto=off", "-Clto=no") and not call.link_only,
        ("members", "members.none", "references", "local", "crates"),
        argv=_with_lto,
    ),
    Fault(
        "several-types-plain",
        "rust-lang/compiler-team#908: with several crate types, outputs are not optimised",
        lambda call: call.compiles and len(call.crate_types) > 1 and not call.link_only,
        ("same-as", "references", "members"),
        argv=lambda call: call.without("-Clto*", "-O", "-Copt-level*", "-Zdylib-lto"),
    ),
    dropped(
        "dylib-lto-off",
        "-Zdylib-lto is accepted and does nothing",
        "-Zdylib-lto",
        breaks=("defines", "references", "crates"),
        needs="dylib-lto",
        with_=("-Clto*",),
        also=lambda call: call.has("-Clto=*"),
    ),
    Fault(
        "lto-thin-for-fat",
        "-Clto=fat does thin LTO",
        lambda call: call.compiles and call.has("-Clto=fat"),
        ("members", "defines", "local"),
        argv=lambda call: call.changed("-Clto=fat", lambda _: "-Clto=thin"),
    ),
    Fault(
        "lto-not-repeated",
        "compiler-team#908: -Zlink-only does not know that LTO has been done",
        lambda call: call.link_only and call.has("-Clto=*"),
        ("duplicates", "same-as"),
        argv=lambda call: call.without("-Clto=*"),
    ),
    dropped(
        "panic-ignored",
        "the panic strategy of the command line is ignored",
        "-Cpanic=*",
        breaks=("stdout", "exit", "defines"),
    ),
    dropped(
        "strip-ignored",
        "-Cstrip does nothing",
        "-Cstrip=symbols",
        "-Cstrip=debuginfo",
        breaks=("sections", "symbols", "defines"),
    ),
    dropped(
        "debuginfo-ignored", "-Cdebuginfo does nothing", "-Cdebuginfo=[!0n]*", "-g", breaks=("sections",)
    ),
    Fault(
        "debuginfo-always",
        "debug information that was not requested",
        lambda call: call.compiles and not call.has("-Cdebuginfo=[!0n]*", "-g") and not call.link_only,
        ("sections", "sections.none", "content", "each-member"),
        argv=lambda call: [*call.without("-Cdebuginfo=*"), "-Cdebuginfo=2"],
    ),
    dropped("rpath-ignored", "-Crpath does nothing", "-Crpath*", breaks=("runpath",)),
    Fault(
        "codegen-units-ignored",
        "one codegen unit, whatever -Ccodegen-units says",
        lambda call: call.compiles and call.has("-Ccodegen-units=[!1]*"),
        ("members", "produces"),
        argv=lambda call: call.changed("-Ccodegen-units=*", lambda _: "-Ccodegen-units=1"),
    ),
    dropped(
        "opt-level-ignored",
        "-Copt-level does nothing",
        "-Copt-level=*",
        breaks=("references", "size", "smaller-than", "number", "stdout"),
    ),
    Fault(
        "codegen-units-always",
        "several codegen units despite -Ccodegen-units=1",
        lambda call: call.compiles and call.has("-Ccodegen-units=1") and not call.link_only,
        ("members", "produces", "each-member"),
        argv=lambda call: call.changed("-Ccodegen-units=*", lambda _: "-Ccodegen-units=16"),
    ),
    Fault(
        "object-is-bitcode",
        "an object file holds LLVM bitcode instead of machine code",
        lambda call: call.compiles and not call.has("-Clinker-plugin-lto*", "-Clto*") and not call.link_only,
        ("format", "bitcode", "type", "each-member"),
        argv=lambda call: [*call.words, "-Clinker-plugin-lto"],
    ),
    Fault(
        "embed-bitcode-inverted",
        "-Cembed-bitcode does the opposite",
        lambda call: call.compiles and call.has("-Cembed-bitcode=*"),
        ("bitcode", "sections"),
        argv=lambda call: [_other_way(word) for word in call.words],
    ),
    dropped(
        "linker-plugin-lto-ignored",
        "-Clinker-plugin-lto emits machine code",
        "-Clinker-plugin-lto*",
        breaks=("bitcode", "format", "each-member"),
    ),
    dropped(
        "profile-ignored",
        "-Cprofile-generate instruments nothing",
        "-Cprofile-generate*",
        breaks=("defines", "sections", "content", "stdout"),
    ),
    dropped(
        "coverage-ignored",
        "-Cinstrument-coverage instruments nothing",
        "-Cinstrument-coverage*",
        breaks=("defines", "sections", "content"),
    ),
    Fault(
        "coverage-for-profile",
        "-Cprofile-generate instruments for coverage",
        lambda call: call.compiles and call.has("-Cprofile-generate*"),
        ("sections.none", "sections"),
        argv=lambda call: call.changed("-Cprofile-generate*", lambda _: "-Cinstrument-coverage"),
    ),
    dropped(
        "sanitizer-ignored",
        "-Zsanitizer instruments nothing",
        "-Zsanitizer=*",
        breaks=("defines", "stderr", "undefined"),
    ),
    dropped(
        "native-library-dropped",
        "a native library of the command line is dropped",
        "-l*",
        breaks=("members", "exit", "defines", "native-static-libs"),
    ),
    Fault(
        "whole-archive-ignored",
        "whole-archive links only the members that are needed",
        lambda call: call.compiles and call.has("-l*+whole-archive*"),
        ("defines", "members", "stdout"),
        argv=lambda call: call.changed("-l*", lambda word: word.replace("+whole-archive", "-whole-archive")),
    ),
    Fault(
        "bundle-inverted",
        "a native library is bundled although it must not be, or the reverse",
        lambda call: call.compiles and call.has("-lstatic*") and not call.has("-l*+whole-archive*"),
        ("members", "defines", "unresolved"),
        argv=lambda call: call.changed("-lstatic*", _bundled_otherwise),
    ),
    dropped(
        "link-args-dropped",
        "a linker argument does not reach the linker",
        "-Clink-arg=[!-]*",
        "-Clink-arg=-[!f]*",
        "-Clink-args=*",
        "-Zpre-link-arg*",
        breaks=("link", "soname", "exports"),
    ),
    dropped(
        "linker-choice-ignored",
        "a linker other than the requested one",
        "-Clink-arg=-fuse-ld=*",
        "-Clinker-flavor=*",
        "-Clinker=*",
        breaks=("section", "content", "link"),
    ),
    Fault(
        "output-name-ignored",
        "-o does nothing",
        lambda call: call.compiles and call.has("-o"),
        ("exists", "produces"),
        argv=lambda call: call.without_option("-o"),
    ),
    Fault(
        "out-dir-ignored",
        "--out-dir does nothing",
        lambda call: call.compiles and call.has("--out-dir"),
        ("exists", "produces"),
        argv=lambda call: call.without_option("--out-dir"),
    ),
    dropped(
        "test-ignored", "--test builds the program without its tests", "--test", breaks=("stdout", "exit")
    ),
    dropped("no-link-ignored", "-Zno-link links", "-Zno-link", breaks=("produces", "exists")),
    dropped(
        "export-executable-ignored",
        "-Zexport-executable-symbols does nothing",
        "-Zexport-executable-symbols",
        breaks=("exports", "stdout"),
        needs="export-executable-symbols",
    ),
    Fault(
        "export-executable-always",
        "a program exports its functions without -Zexport-executable-symbols",
        lambda call: call.makes("bin") and not call.has("-Zexport-executable-symbols") and not call.link_only,
        ("exports.none", "exit"),
        argv=lambda call: [*call.words, "-Zexport-executable-symbols"],
        needs="export-executable-symbols",
    ),
    Fault(
        "visibility-inverted",
        "-Zdefault-visibility sets another visibility",
        lambda call: call.compiles and call.has("-Zdefault-visibility=*"),
        ("symbols", "hidden", "exports"),
        argv=lambda call: call.changed(
            "-Zdefault-visibility=*",
            lambda word: f"-Zdefault-visibility={'protected' if word.endswith('hidden') else 'hidden'}",
        ),
        needs="default-visibility",
    ),
    dropped(
        "visibility-ignored",
        "-Zdefault-visibility does nothing",
        "-Zdefault-visibility=*",
        breaks=("hidden", "exports", "symbols"),
        needs="default-visibility",
    ),
    dropped(
        "share-generics-ignored",
        "-Zshare-generics does nothing",
        "-Zshare-generics=*",
        breaks=("exports", "defines", "undefined"),
        needs="share-generics",
    ),
    dropped(
        "embed-metadata-ignored",
        "-Zembed-metadata does nothing",
        "-Zembed-metadata=*",
        breaks=("size", "section", "metadata", "smaller-than"),
        needs="embed-metadata",
    ),
    dropped(
        "crt-static-ignored",
        "the C library is linked dynamically despite crt-static",
        "-Ctarget-feature=+crt-static",
        breaks=("needed", "interpreter", "type", "produces", "diagnostics"),
    ),
    Fault(
        "first-crate-type-only",
        "only the first of several crate types is built",
        lambda call: call.compiles and len(call.crate_types) > 1,
        ("exists", "produces"),
        argv=_first_type,
    ),
    Fault(
        "staticlib-is-rlib",
        "a staticlib that contains only the crate itself",
        lambda call: call.makes("staticlib") and call.crate_types == ("staticlib",),
        ("unresolved", "metadata", "crates"),
        argv=lambda call: (
            [*_typed("staticlib", "--crate-type=rlib", call), "-o", f"lib{call.crate}.a"]
            if not call.has("--out-dir", "-o")
            else _typed("staticlib", "--crate-type=rlib", call)
        ),
    ),
    Fault(
        "cdylib-is-dylib",
        "a Rust dylib under a cdylib's name",
        lambda call: (
            call.makes("cdylib")
            and "dylib" not in call.crate_types
            and not call.link_only
            and not call.has("-Clto=*")
        ),
        ("exports", "metadata"),
        argv=lambda call: _typed("cdylib", "--crate-type=dylib", call),
    ),
    Fault(
        "dylib-is-cdylib",
        "a cdylib under a dylib's name",
        lambda call: call.makes("dylib") and "cdylib" not in call.crate_types and not call.link_only,
        ("exports", "metadata"),
        argv=lambda call: _typed("dylib", "--crate-type=cdylib", call),
    ),
    dropped(
        "relocation-model-ignored",
        "-Crelocation-model does nothing",
        "-Crelocation-model=*",
        breaks=("pie", "type"),
    ),
    dropped(
        "oom-ignored", "-Zoom does nothing", "-Zoom=*", breaks=("stderr", "exit", "defines"), needs="oom"
    ),
    dropped(
        "emit-ignored",
        "only the default output, whatever --emit says",
        "--emit=*",
        breaks=("exists", "produces"),
    ),
)


def _other_way(word: str) -> str:
    name, equals, value = word.partition("=")
    if name != "-Cembed-bitcode":
        return word
    return f"{name}{equals}{'no' if value in ('yes', 'y', 'on', 'true') else 'yes'}"


def _bundled_otherwise(word: str) -> str:
    if "-bundle" in word:
        return word.replace("-bundle", "+bundle")
    modifiers, equals, library = word.removeprefix("-lstatic").partition("=")
    others = modifiers.removeprefix(":").replace("+bundle", "")
    return f"-lstatic:{','.join(filter(None, ['-bundle', others.strip(',')]))}{equals}{library}"
