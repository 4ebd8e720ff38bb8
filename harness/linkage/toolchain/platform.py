"""A target's platform: what conditions and requirements name. Pure."""

OBJECT_FORMATS = ("elf", "coff", "macho", "wasm", "xcoff")
"""The formats of the objects that rustc writes; PE images belong to "coff"."""
PLATFORM = ("object-format", "os", "arch", "libc")
"""What a condition can say of a variant's target."""

_APPLE = {"macos", "ios", "tvos", "watchos", "visionos"}
_BY_OS = {
    "windows": "coff",
    "uefi": "coff",
    "cygwin": "coff",
    "aix": "xcoff",
    **dict.fromkeys(_APPLE, "macho"),
}
_BY_ARCH = {"wasm32": "wasm", "wasm64": "wasm", "nvptx64": "", "spirv": ""}


def object_format(os: str, arch: str) -> str:
    """The object format of a platform as rustc's target specifications (`binary_format`) have it.

    No stable `--print` names it. Empty for targets whose compiler writes text or another format.
    """
    return _BY_OS.get(os) or _BY_ARCH.get(arch, "elf")
