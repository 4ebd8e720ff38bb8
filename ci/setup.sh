# shellcheck shell=bash
# What the scripts in ci/ share: a virtual environment with this package in it, and a rustc. To be sourced, with
# the checkout as the working folder.
#
# set_up run            the package, in .venv
# set_up dev            the package with the tools of its tests, linters and measurements, in .venv
# set_up fuzz           what set_up dev gives, and a fuzzer that coverage guides, if it has a wheel for this Python
# set_up targets        the package, with what runs WebAssembly modules
# set_up mutation       what set_up dev gives, and the tool that mutates the package's code
# set_up_range lowest   the package and its tests with the lowest direct versions that pyproject.toml allows,
#                       in .venv-lowest
# set_up_range newest   likewise with the newest, in .venv-newest
#
# .venv gets exactly the versions in ci/locked, whose hashes are checked. What is missing on the machine is
# answered with one line on stderr and exit status 4. Honoured: PYTHON (the interpreter), CC, RUSTC, RUSTUP_HOME,
# RUSTUP_DIST_SERVER, XDG_CACHE_HOME, and pip's own settings (PIP_INDEX_URL …).

stop() {
    printf 'error: %s\n' "$*" >&2
    exit 4
}

say() {
    printf '== %s\n' "$*"
}

# Print the command as it can be typed again, then run it.
run() {
    printf '$'
    printf ' %q' "$@"
    printf '\n'
    "$@"
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    local name
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || stop "PYTHON=$PYTHON is not a Python 3.11 or newer"
        printf '%s\n' "$PYTHON"
        return
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if new_enough "$name"; then
            printf '%s\n' "$name"
            return
        fi
    done
    if name=$(python3 --version 2>/dev/null); then
        stop "$name is too old: install Python 3.11 or newer (Debian, Ubuntu: python3.11 python3.11-venv), or set PYTHON"
    fi
    stop "there is no python3: install Python 3.11 or newer (Debian, Ubuntu: python3 python3-venv), or set PYTHON"
}

find_c_compiler() {
    local name
    if [ -n "${CC:-}" ]; then
        command -v "$CC" >/dev/null || stop "CC=$CC is not a program: set CC to a C compiler"
        return
    fi
    for name in cc gcc clang; do
        if command -v "$name" >/dev/null; then
            return
        fi
    done
    stop "there is no C compiler: install gcc or clang (Debian, Ubuntu: gcc libc6-dev; Fedora: gcc)"
}

# One line for why pip failed; its whole output stays in the log.
explain_pip() {
    local log=$1 last
    last=$(grep -E '^ *ERROR:' "$log" | tail -n 1)
    if grep -qE 'NewConnectionError|ConnectTimeout|ReadTimeout|ConnectionReset|ProxyError|name resolution|Network is unreachable' "$log"; then
        stop "pip cannot reach the package index: connect to a network, or set PIP_INDEX_URL to a mirror (all that pip said: $log)"
    fi
    stop "pip could not install this package: ${last:-it did not say why} (all that pip said: $log)"
}

make_venv() {
    local venv=$1 python=$2 log
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        stop "this Python has no venv module: install it (Debian, Ubuntu: python3-venv), or set PYTHON to another Python"
    say "making a virtual environment in $venv"
    log=$(mktemp)
    "$python" -m venv --clear "$venv" >"$log" 2>&1 ||
        stop "no virtual environment could be made in $venv: $(grep . "$log" | tail -n 1)"
    rm -f "$log"
}

# Whether .venv holds what is asked for, as it was when these files were installed.
is_set_up() {
    local wanted=$1 what=$2
    [ -x .venv/bin/python ] && [ -e ".venv/set-up-$what" ] && [ "$(cat ".venv/set-up-$what")" = "$wanted" ]
}

# Make the virtual environment, unless it is there and of this Python.
have_venv() {
    local venv=$1 python=$2 made_for
    made_for="$PWD $("$python" -c 'import sys; print(sys.version)')"
    # Another Python, an environment that was moved here, or one left half made: start again.
    if ! { [ -x "$venv/bin/python" ] && [ "$(cat "$venv/made-for" 2>/dev/null)" = "$made_for" ]; }; then
        make_venv "$venv" "$python"
        printf '%s\n' "$made_for" >"$venv/made-for"
    fi
}

pip_install() {
    local log
    log=$(mktemp)
    .venv/bin/python -m pip install --disable-pip-version-check --no-input "$@" >"$log" 2>&1 || explain_pip "$log"
    rm -f "$log"
}

set_up_package() {
    local what=$1 python wanted
    python=$(find_python) || exit $?
    wanted=$({ printf '%s\n' "$PWD"; "$python" -c 'import sys; print(sys.version)'; cat pyproject.toml ci/locked/*.txt; } | cksum)
    if is_set_up "$wanted" "$what" || { [ "$what" = run ] && is_set_up "$wanted" dev; }; then
        return
    fi
    have_venv .venv "$python"
    say "installing the versions in ci/locked/$what.txt into .venv"
    pip_install --require-hashes --no-deps -r "ci/locked/$what.txt"
    pip_install --no-deps --no-build-isolation -e .
    printf '%s\n' "$wanted" >".venv/set-up-$what"
}

# uv has settings of its own; who set up pip for a mirror means uv as well.
uv_reads_pips_settings() {
    [ -z "${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}
    [ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE=${SSL_CERT_FILE:-$PIP_CERT}
}

# `name==version` for each requirement of a file.
versions_in() {
    grep -oE '^[a-z0-9][a-z0-9._-]*==[^ ;]+' "$1" | sort
}

set_up_range() {
    local range=$1 venv=.venv-$1 python resolution=highest
    set_up dev
    uv_reads_pips_settings
    [ "$range" = newest ] || resolution=lowest-direct
    python=$(find_python) || exit $?
    have_venv "$venv" "$python"
    say "installing the $range versions that pyproject.toml allows into $venv"
    # A wheel each: what cannot be had without a compiler of its own is not what users of this Python get.
    .venv/bin/uv pip compile --quiet --only-binary :all: --python "$venv/bin/python" --resolution "$resolution" --no-annotate \
        --no-header --group test --group build pyproject.toml -o "$venv/versions.txt" >/dev/null ||
        stop "uv could not resolve the $range versions: see above"
    {
        .venv/bin/uv pip sync --quiet --python "$venv/bin/python" "$venv/versions.txt" &&
            .venv/bin/uv pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation -e .
    } || stop "uv could not install the $range versions: see above"
    versions_in "$venv/versions.txt"
}

set_up() {
    local lock
    find_c_compiler
    # Two of these scripts at once must not make the same environment.
    lock=${TMPDIR:-/tmp}/linkage-setup-$(id -u)-$(printf '%s' "$PWD" | cksum | cut -d ' ' -f 1).lock
    if command -v flock >/dev/null; then
        (
            flock 9
            set_up_package "$1" 9>&-
        ) 9>"$lock" || exit $?
    else
        (set_up_package "$1") || exit $?
    fi
    .venv/bin/python -m linkage.toolchain.ensure || exit $?
}
