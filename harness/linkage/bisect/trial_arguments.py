"""The options of `linkage bisect` that say what is tried, and what counts as bad."""

import argparse
import sys
from collections.abc import Callable

WORDS = {"g": "good", "b": "bad", "s": "skip", "r": "retry"}


def add_trial_arguments(parser: argparse.ArgumentParser) -> None:
    """What is tried besides cases, and who judges it."""
    group = parser.add_argument_group("what is tried")
    group.add_argument(
        "--script",
        metavar="CMD",
        help="run CMD (its ARGS follow `--`): exit status 0 is good, 125 inconclusive, 1 to 127 bad; it "
        "gets RUSTC, RUSTUP_TOOLCHAIN, TARGET, CARGO_TARGET_DIR and PATH",
    )
    group.add_argument(
        "--cargo", metavar="DIR", help="run `cargo ARGS` in DIR, with ARGS after -- (default: build)"
    )
    group.add_argument(
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="how long --script and --cargo may take; then the toolchain is inconclusive (default: 4 hours)",
    )
    group.add_argument(
        "--prompt", action="store_true", help="show what each toolchain does, and ask whether it is good"
    )
    group.add_argument(
        "-v", "--verbose", action="store_true", help="print the output of --script and --cargo"
    )


def add_install_arguments(parser: argparse.ArgumentParser) -> None:
    """What is installed, and what is kept."""
    group = parser.add_argument_group("what is installed")
    group.add_argument(
        "-c",
        "--component",
        action="append",
        default=[],
        metavar="NAME",
        help="also install this component, such as clippy or rust-src",
    )
    group.add_argument("--with-src", action="store_true", help="the same as --component rust-src")
    group.add_argument(
        "--with-dev", action="store_true", help="the same as --component rustc-dev --component llvm-tools"
    )
    group.add_argument("--host", default="", metavar="TRIPLE", help="the host of the compilers")
    group.add_argument(
        "--alt", action="store_true", help="try the alt builds of merges, which have LLVM's assertions"
    )
    group.add_argument(
        "--preserve", action="store_true", help="remove no toolchain, whatever the --disk-limit"
    )
    group.add_argument(
        "--force-install", action="store_true", help="install each toolchain anew, even if it is there"
    )
    group.add_argument(
        "--install", metavar="DATE|SHA", help="only install this toolchain, and print its folder"
    )


def components(arguments: argparse.Namespace) -> tuple[str, ...]:
    """All components that the options name."""
    named = [*arguments.component]
    named += ["rust-src"] if arguments.with_src else []
    named += ["rustc-dev", "llvm-tools"] if arguments.with_dev else []
    return tuple(dict.fromkeys(named))


def answers(say: Callable[[str], None]) -> Callable[[str, str], str] | None:
    """Asks how to judge a trial; None if standard input is not a terminal."""
    if not sys.stdin.isatty():
        return None

    def ask(name: str, shown: str) -> str:
        say(shown.rstrip("\n"))
        while True:
            say(f"{name}: (g)ood, (b)ad, (s)kip or (r)etry?")
            line = sys.stdin.readline()
            if not line:
                raise KeyboardInterrupt
            word = line.strip().lower()
            if word[:1] in WORDS and WORDS[word[0]].startswith(word):
                return WORDS[word[0]]

    return ask
