"""From a step to the command line that carries it out. Pure.

What a person would pass every time is passed here: the edition, the search path, the target,
the loader's path for built programs, and the platform's libraries for C programs.
"""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from linkage.case import steps as model
from linkage.case.resolution import ResolvedStep
from linkage.case.variables import REFERENCE, text
from linkage.errors import CaseError
from linkage.plan.outputs import Outputs
from linkage.plan.state import is_glob
from linkage.toolchain.model import Toolchain
from linkage.toolchain.version import VersionRange

WORK = "\x1awork\x1a"
"""Stands for the working folder in a plan; the runner puts the real one in its place."""

JSON_FLAG = "--error-format=json"
SYSTEM_LIBRARIES = ("-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc")
"""What a std staticlib asks of a GNU/Linux system (`rustc --print native-static-libs`)."""

_NO_PLUGIN = "--plugin=/dev/null"
"""GNU ar would ask an LLVM that is installed, and leave out of the index what is too new for it."""

_HAS_2021 = VersionRange.parse(">=1.56")
_HAS_CHECK_CFG = VersionRange.parse(">=1.80")


@dataclass(frozen=True, slots=True)
class Glob:
    """An argument that stands for the files, or an archive's members, that it matches at the run.

    A pattern is relative to the working folder, or an absolute one in the toolchain's folders.
    """

    pattern: str
    archive: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A process to start. Paths are relative to the working folder, or start with WORK."""

    program: str
    """What the argument list starts with means: "rustc", "run", "cc", "cxx", "ar", "tool"."""
    argv: tuple[str | Glob, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: str | None = None
    cwd: str = "."
    time_limit: int = 180
    unstable: bool = False
    """Whether a stable rustc needs RUSTC_BOOTSTRAP=1 for it."""
    watch_linker: bool = False
    path: tuple[str, ...] = ()
    """Folders in which a tool is looked for before PATH."""


def typed(command: Command) -> tuple[str | Glob, ...]:
    """The words that a person would type: without what only the harness asks for."""
    return tuple(word for word in command.argv if word != JSON_FLAG)


def in_words(text: str) -> str:
    """A text of a plan with the working folder as a person would name it."""
    return text.replace(WORK, "$WORK")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """The variables of a variant in place; `${captured.…}` waits for the run, symbol groups for judging."""
    return REFERENCE.sub(lambda found: variables.get(found[1], found[0]), text)


def within(path: str, variables: Mapping[str, str]) -> str:
    """A path or a glob, refused where it is absolute and not the toolchain's. Raises CaseError."""
    places = tuple(f"{variables[place]}/" for place in ("sysroot", "libdir"))
    if path.startswith("/") and not path.startswith(places):
        raise CaseError(
            f"`{path}` leads outside the working folder and the toolchain",
            help="write it with ${sysroot} or ${libdir}",
        )
    return path


def build(
    resolved: ResolvedStep,
    toolchain: Toolchain,
    env: Mapping[str, str],
    time_limit: int,
    outputs: Outputs,
    variables: Mapping[str, str],
) -> Command | None:
    """The command of a step; None for a file operation. Raises CaseError for what makes no sense."""
    step = resolved.step
    if not isinstance(step, model.ProcessStep):
        return None
    words = _Words(outputs, variables, step.cwd or ".")
    path: tuple[str, ...] = ()
    match step:
        case model.RustcStep():
            program, argv = "rustc", _rustc(resolved, step, toolchain, words)
        case model.LinkOnlyStep():
            program, argv = "rustc", _link_only(step, toolchain, words)
        case model.RunStep():
            program, argv = "run", (*words.each(step.runner), words.program(step.run), *words.each(step.args))
        case model.CcStep():
            cxx = isinstance(step, model.CxxStep)
            program, argv = (
                ("cxx", _cc(resolved, step, "c++", words))
                if cxx
                else ("cc", _cc(resolved, step, "cc", words))
            )
        case model.ArStep():
            program, argv = "ar", _ar(step, words)
        case model.ToolStep():
            program, argv = "tool", (words.text(step.tool), *words.each(step.args))
            path = (f"{variables['sysroot']}/bin", f"{variables['libdir']}/../bin")
        case _:
            raise AssertionError(step)
    flags = [word for word in argv if isinstance(word, str)]
    unstable = program == "rustc" and (
        getattr(step, "unstable", False) or any(flag.startswith("-Z") for flag in flags)
    )
    own = {key: words.text(value) for key, value in {**env, **step.env}.items()}
    if program == "run" and isinstance(step, model.RunStep) and step.library_path:
        own.setdefault("LD_LIBRARY_PATH", _loader_path(outputs, variables))
    return Command(
        program,
        tuple(argv),
        own,
        words.text(step.stdin) if step.stdin is not None else None,
        step.cwd or ".",
        step.timeout or time_limit,
        unstable=unstable,
        watch_linker=bool(getattr(step, "link", ()))
        or any(s.startswith("link-inputs/") for s in step.claims),
        path=path,
    )


class _Words:
    """Arguments: variables in place, roles as files, globs kept for the run.

    What a key names (`path`, `file`) is a path in the working folder, wherever the step runs; it is
    called as it is seen from there. An argument (`word`) stands as it is, unless it is a role.
    """

    def __init__(self, outputs: Outputs, variables: Mapping[str, str], cwd: str) -> None:
        self.outputs = outputs
        self.variables = variables
        self.cwd = cwd

    def text(self, text: str) -> str:
        return expand(text, self.variables)

    def seen(self, path: str) -> str:
        """A path in the working folder as the step's own folder sees it."""
        inside = self.cwd != "." and path != "-" and not path.startswith(("/", WORK))
        return posixpath.relpath(path, self.cwd) if inside else path

    def path(self, name: str) -> str:
        return self.seen(self.outputs.path(self.text(name)))

    def program(self, name: str) -> str:
        path = self.seen(self.outputs.program(self.text(name)))
        return path if "/" in path else f"./{path}"

    def file(self, text: str) -> str | Glob:
        word = self.outputs.path(self.text(text))
        return self._glob(word) if is_glob(word) and not word.startswith("-") else self.seen(word)

    def each(self, texts: Iterable[str]) -> tuple[str | Glob, ...]:
        return tuple(self.word(text) for text in texts)

    def word(self, text: str) -> str | Glob:
        word = self.text(text)
        if word in self.outputs.roles:
            return self.seen(self.outputs.roles[word])
        word = self.outputs.path(word)
        if not is_glob(word) or word.startswith("-"):
            return word
        return self._glob(word if word.startswith(("/", WORK)) else posixpath.join(self.cwd, word))

    def _glob(self, pattern: str) -> Glob:
        return Glob(within(posixpath.normpath(pattern.removeprefix(f"{WORK}/")), self.variables))


def _rustc(
    resolved: ResolvedStep, step: model.RustcStep, toolchain: Toolchain, words: _Words
) -> tuple[str | Glob, ...]:
    axes = resolved.axes
    argv: list[str | Glob] = [str(toolchain.rustc), JSON_FLAG]
    if step.rustc is not None:
        argv.append("-" if step.rustc == "-" else words.seen(words.text(step.rustc)))
        default_edition = "2021" if _HAS_2021.contains(toolchain.version) else "2018"
        argv.append(f"--edition={axes.get('edition', default_edition)}")
    if step.crate_name:
        argv.append(f"--crate-name={step.crate_name}")
    given = axes.get("crate-type")
    argv += [f"--crate-type={kind}" for kind in (resolved.crate_types if given else ())]
    argv += _codegen(axes)
    if "allocator" in axes:
        argv += ["--cfg", f'allocator="{text(axes["allocator"])}"']
        if _HAS_CHECK_CFG.contains(toolchain.version):
            argv += ["--check-cfg", "cfg(allocator, values(any()))"]
    argv += [word for name in step.cfg for word in ("--cfg", words.text(name))]
    argv += [f"--emit={_emit(item, words)}" for item in step.emit]
    argv += _placed(step, words)
    argv += _linking(step, axes, words)
    for name, value in step.extern.items():
        argv += ["--extern", name if value is None else f"{name}={words.path(value)}"]
    if step.no_link:
        argv.append("-Zno-link")
    return (*argv, *words.each(step.flags))


def _emit(group: str, words: _Words) -> str:
    parts = (item.partition("=") for item in group.split(","))
    return ",".join(f"{kind}={words.seen(path)}" if equals else kind for kind, equals, path in parts)


def _placed(step: model.RustcStep | model.LinkOnlyStep, words: _Words) -> list[str]:
    out_dir = ["--out-dir", words.seen(step.out_dir)] if step.out_dir else []
    return [*out_dir, *(["-o", words.seen(step.output)] if step.output else [])]


def _codegen(axes: Mapping[str, object]) -> list[str]:
    argv: list[str] = []
    if axes.get("prefer-dynamic"):
        argv.append("-Cprefer-dynamic")
    if axes.get("lto") not in (None, "thin-local", "default"):
        argv.append(f"-Clto={axes['lto']}")
    if axes.get("dylib-lto"):
        argv.append("-Zdylib-lto")
    plain = ("codegen-units", "opt-level", "panic", "debuginfo", "strip")
    argv += [f"-C{axis}={axes[axis]}" for axis in plain if axes.get(axis) is not None]
    if axes.get("target"):
        argv.append(f"--target={axes['target']}")
    return argv


def _linking(step: model.RustcStep, axes: Mapping[str, object], words: _Words) -> list[str]:
    argv: list[str] = []
    if step.search_paths and step.rustc is not None:
        argv += [word for folder in words.outputs.folders for word in ("-L", words.seen(folder))]
    linker = axes.get("linker")
    if linker not in (None, "default"):
        argv.append(f"-Clink-arg=-fuse-ld={linker}")
    return argv


def _link_only(step: model.LinkOnlyStep, toolchain: Toolchain, words: _Words) -> tuple[str | Glob, ...]:
    rlink = step.rlink or words.outputs.roles.get(f"{step.link_only}.rlink")
    if rlink is None:
        raise CaseError(f"`{step.link_only}` has made no .rlink file")
    argv: list[str | Glob] = [str(toolchain.rustc), JSON_FLAG, "-Zlink-only", words.seen(rlink)]
    argv += _placed(step, words)
    if step.linker not in (None, "default"):
        argv.append(f"-Clink-arg=-fuse-ld={step.linker}")
    return (*argv, *words.each(step.flags))


def _cc(resolved: ResolvedStep, step: model.CcStep, compiler: str, words: _Words) -> tuple[str | Glob, ...]:
    sources = step.cxx if isinstance(step, model.CxxStep) else step.cc
    output = words.seen(words.outputs.roles[f"{resolved.id}.{step.kind}"])
    argv: list[str | Glob] = [compiler]
    argv += {"bin": [], "obj": ["-c"], "shared": ["-shared", "-fPIC"]}[step.kind]
    argv += [*words.each(step.flags), *(words.file(name) for name in sources), "-o", output]
    if step.kind == "obj":
        return tuple(argv)
    paths = [words.file(name) for name in step.link_with]
    shared = False
    for path in paths:
        # By name and search path, so that the program needs `libx.so` and not `./libx.so`.
        if isinstance(path, str) and path.endswith(".so") and not path.startswith("-"):
            folder, _, file = path.rpartition("/")
            argv += [f"-L{folder or '.'}", f"-l:{file}"]
            shared = True
        else:
            argv.append(path)
    if shared:
        # bfd looks for what the shared libraries need themselves
        argv += [
            f"-Wl,-rpath-link,{place}"
            for place in (*map(words.seen, words.outputs.folders), words.variables["libdir"])
            if place
        ]
    if step.system_libraries and step.link_with:
        argv += SYSTEM_LIBRARIES
    return tuple(argv)


def _ar(step: model.ArStep, words: _Words) -> tuple[str | Glob, ...]:
    archive, held = words.path(step.ar), words.outputs.path(words.text(step.ar))
    if step.delete:
        return ("ar", "d", _NO_PLUGIN, archive, *(Glob(words.text(name), held) for name in step.delete))
    if step.extract:
        wanted = () if "*" in step.extract else tuple(Glob(words.text(name), held) for name in step.extract)
        return ("ar", "x", archive, *wanted)
    operation = "rc" + ("s" if step.index else "S")
    thin = ("--thin",) if step.thin else ()
    return ("ar", operation, _NO_PLUGIN, *thin, archive, *(words.file(name) for name in step.members))


def _loader_path(outputs: Outputs, variables: Mapping[str, str]) -> str:
    folders = [WORK if folder == "." else f"{WORK}/{folder}" for folder in outputs.folders]
    return ":".join([*folders, variables["libdir"]])
