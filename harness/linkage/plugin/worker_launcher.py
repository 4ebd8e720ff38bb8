"""Run as a program, with `-c` and a line that is ignored: a worker of xdist under `linkage run`.

execnet starts a worker as `python -c "exec(eval(sys.stdin.readline()))"` and tells it with that line what to
do. If the run is interrupted before, there is none, and Python would print a traceback of a SyntaxError.
"""

import sys

if __name__ == "__main__":
    sys.path[0] = ""  # as with `-c`
    sys.dont_write_bytecode = sys.dont_write_bytecode or "-B" in sys.argv
    line = sys.stdin.readline()
    if line.endswith("\n"):
        exec(eval(line))  # noqa: S102, S307 - what execnet's own line does; it comes from the parent process
