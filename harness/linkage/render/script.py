"""A variant as a shell script that needs only rustc, cc and the programs that the case calls. Pure.

It runs the steps as the harness does, and like the harness it stops after a step with an unexpected exit
status. It judges nothing else: claims are comments, and for each that the harness found not to hold, the
script runs the commands that show it. It exits with 1 if there is such a claim or exit status, with 125 if
there is no compiler, which `git bisect run` takes for "cannot tell", else with 0.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from linkage.case.steps import ProcessStep
from linkage.host.terminal import escape
from linkage.judge.judge import shown_step
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.plan.command import Command
from linkage.plan.plan import Plan, PlannedStep
from linkage.plan.shell import command_line, identifier, shell_word, written
from linkage.render.claims import claims, expectations, invariants

_FOREIGN = "RUSTC_BOOTSTRAP RUSTC_LOG RUST_BACKTRACE LD_LIBRARY_PATH LIBRARY_PATH LD_PRELOAD"
"""Variables that the harness does not pass on to steps either."""
_FUNCTIONS = r"""say() { printf '%s\n' "$1"; }
stop() { say "unexpected: $1"; exit 1; }
miss() { say "unexpected: $1"; wrong=1; }"""
_SIGNALLED = 128  # a shell adds it to the number of the signal
_NO_COMPILER = 125
_ICE = 101  # the exit status of a rustc that panicked


@dataclass(frozen=True, slots=True)
class OtherBuild:
    """A variant that a claim compares with, up to the last step that is needed, and its sources."""

    planned: Plan
    files: Mapping[str, bytes]
    variable: str
    """The script's variable for its working folder."""


def repro_script(
    planned: Plan,
    files: Mapping[str, bytes],
    verdict: Verdict,
    others: Iterable[OtherBuild] = (),
    *,
    rustc: str = "",
) -> str:
    """The script: the sources, the commands with the expectations of each, and the failures.

    `rustc` is the compiler if $RUSTC names none: that of the plan, or a name to be found on PATH.
    """
    script = _Script(planned, verdict, rustc)
    built = (line for other in others for line in _other(other))
    return "\n".join([*script.head(), *built, *_sources(files), *script.steps(), *script.end()]) + "\n"


def _other(other: OtherBuild) -> Iterator[str]:
    """The lines that build another variant, in its own folder and shell."""
    yield f"# it is compared with {escape(other.planned.variant.id)}"
    yield f"{other.variable}=$PLACE/{other.variable}"
    yield "("
    yield f"WORK=${other.variable}; OUT=$PLACE/streams_of_{other.variable}"
    yield 'mkdir "$WORK" "$OUT" && cd "$WORK" || exit 1'
    yield from _sources(other.files)
    yield from _Script(other.planned, Verdict(VerdictKind.PASS)).steps()
    yield ") || exit 1"
    yield ""


def _sources(files: Mapping[str, bytes]) -> Iterator[str]:
    yield "sources() {"
    yield ":"
    for name, content in sorted(files.items()):
        yield from written(name, content)
    yield "}"
    yield "sources"


class _Script:
    def __init__(self, planned: Plan, verdict: Verdict, rustc: str = "") -> None:
        self.planned = planned
        self.verdict = verdict
        toolchain, self.other = planned.variant.toolchain, planned.variant.other
        self.rustc = rustc or shell_word(str(toolchain.rustc))
        self.version = toolchain.version
        self.places = {str(toolchain.rustc): "RUSTC", str(toolchain.sysroot): "SYSROOT"}
        if self.other is not None:
            self.places |= {str(self.other.rustc): "OTHER_RUSTC", str(self.other.sysroot): "OTHER_SYSROOT"}

    def head(self) -> list[str]:
        variant = self.planned.variant
        return [
            "#!/bin/sh",
            # Globs and captured streams must be split; `$WORK` is printed as it is.
            "# shellcheck disable=SC2016,SC2034,SC2046,SC2086,SC2329,SC2317",
            f"# {escape(variant.case.model.summary)}",
            f"# {escape(variant.id)}",
            f"# with {self.version}; another compiler: RUSTC=/path/to/rustc sh THIS_FILE",
            "set -u",
            f"unset {_FOREIGN}",
            *_compiler("", self.rustc),
            *self._other_compiler(),
            "PLACE=$(mktemp -d) || exit 1",
            'WORK=$PLACE/work; OUT=$PLACE/streams; mkdir "$WORK" "$OUT" && cd "$WORK" || exit 1',
            "export LC_ALL=C",
            "wrong=0",
            _FUNCTIONS,
            'say "in $WORK"',
            "",
        ]

    def _other_compiler(self) -> list[str]:
        if self.other is None:
            return []
        return [
            f"# the other compiler is {self.other.version}; another one: OTHER_RUSTC=/path/to/rustc",
            *_compiler("OTHER_", shell_word(str(self.other.rustc))),
        ]

    def steps(self) -> Iterator[str]:
        for index, step in enumerate(self.planned.steps):
            yield ""
            yield f"# step {escape(step.id)}"
            for part in step.parallel or (step,):
                yield from _comments((*expectations(part), *claims(part.claims), *invariants(part)))
            if step.parallel:
                yield from self._parallel(step, index)
            elif step.operation is not None:
                yield f"{{ {step.operation.shell()}; }} || stop {shell_word(f'{step.id}: {step.action}')}"
            elif step.command is not None:
                yield from self._process(step, step.command, str(index))
            yield from self._failures(step.id)

    def _process(self, step: PlannedStep, command: Command, name: str) -> Iterator[str]:
        yield f"say {shell_word('+ ' + shown_step(step))}"
        yield "status=0"
        streams = f'"$OUT/{name}.stdout" 2>"$OUT/{name}.stderr"'
        yield f"{command_line(command, self.places)} >{streams} || status=$?"
        yield from self._ended(step, name, "status")

    def _ended(self, step: PlannedStep, name: str, status: str) -> Iterator[str]:
        yield f'cat "$OUT/{name}.stdout"; cat "$OUT/{name}.stderr" >&2'
        yield _exit_check(step, status)
        stream = getattr(step.model, "capture", None)
        if stream == "native-static-libs":
            found = f"sed -n 's/^.*native-static-libs: //p' \"$OUT/{name}.stderr\""
            yield f"WORDS_{identifier(step.id)}=$({found})"
            yield f"CAPTURED_{identifier(step.id)}=$WORDS_{identifier(step.id)}"
        elif stream is not None:
            yield f'CAPTURED_{identifier(step.id)}=$(cat "$OUT/{name}.{stream}")'

    def _parallel(self, step: PlannedStep, index: int) -> Iterator[str]:
        for number, part in enumerate(step.parallel):
            streams = f'"$OUT/{index}.{number}.stdout" 2>"$OUT/{index}.{number}.stderr"'
            line = part.operation.shell() if part.operation is not None else ""
            if part.command is not None:
                yield f"say {shell_word('+ ' + shown_step(part) + ' &')}"
                line = command_line(part.command, self.places)
            yield f"( {line} ) >{streams} & part{number}=$!"
        for number in range(len(step.parallel)):
            yield f"status{number}=0; wait $part{number} || status{number}=$?"
        for number, part in enumerate(step.parallel):
            yield from self._ended(part, f"{index}.{number}", f"status{number}")
            yield from self._failures(part.id)

    def end(self) -> Iterator[str]:
        yield ""
        yield "# at the end"
        yield from _comments(claims(self.planned.end))
        yield from self._failures("end")
        verdict = self.verdict
        reason = f" ({escape(verdict.reason)})" if verdict.reason else ""
        yield f"# verdict of the harness: {verdict.outcome.value}{reason}"
        yield '[ "$wrong" -eq 0 ] && say "everything is as expected"'
        yield 'exit "$wrong"'

    def _failures(self, step: str) -> Iterator[str]:
        """The claims that did not hold after a step, each after the commands that show it."""
        failures = [
            one for one in self.verdict.failures if one.step == step and one.claim not in ("", "exit")
        ]
        for look in dict.fromkeys(look for failure in failures for look in failure.look):
            yield f"say {shell_word('+ ' + look)}"
            yield look
        for failure in failures:
            found = " / ".join(escape(line, 400) for line in failure.found.splitlines())
            claimed = escape(failure.claimed, 400)
            text = f"{step}: {failure.claim}: claimed: {claimed}; found with {self.version}: {found}"
            yield f"miss {shell_word(text)}"


def _compiler(prefix: str, rustc: str) -> list[str]:
    """The lines that find a compiler and its sysroot, unless a variable names one."""
    return [
        f"{prefix}RUSTC=${{{prefix}RUSTC:-{rustc}}}",
        f'{prefix}SYSROOT=$("${prefix}RUSTC" --print sysroot) ||',
        f'    {{ echo "cannot run the compiler ${prefix}RUSTC" >&2; exit {_NO_COMPILER}; }}',
    ]


def _comments(lines: Iterable[str]) -> Iterator[str]:
    yield from (f"# {escape(line, 400)}" for line in lines)


def _exit_check(step: PlannedStep, variable: str) -> str:
    """The line that stops the script if the exit status of a step is unexpected."""
    expected = step.model.exit if isinstance(step.model, ProcessStep) else 0
    status = f'"${variable}"'
    rustc = step.command is not None and step.command.program == "rustc"
    match expected:
        case "any":
            holds, claimed = f"[ {status} -lt {_SIGNALLED} ]", "no signal"
        case "fails":
            holds = f"[ {status} -gt 0 ] && [ {status} -lt {_SIGNALLED} ]"
            holds = f"{{ {holds}{f' && [ {status} -ne {_ICE} ]' if rustc else ''}; }}"
            claimed = "a failure, but not a crash"
        case "ice":
            holds, claimed = f"[ {status} -eq {_ICE} ]", "an internal compiler error"
        case str():
            holds, claimed = f'[ "$(kill -l {status})" = {expected.removeprefix("SIG")} ]', expected
        case _:
            holds, claimed = f"[ {status} -eq {expected} ]", str(expected)
    return f'{holds} || stop {shell_word(step.id)}": exit status ${variable}, expected: {claimed}"'
