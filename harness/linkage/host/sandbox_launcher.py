# Started in the sandbox: python -c THIS REPORT LIMITS COMMAND ...
# Sets the limits, runs the command, and writes to the open file REPORT how it ended: bwrap tells a signal
# only as an exit status. It imports as little as it can, because every step waits for it.
import os
import signal
import sys

assert sys.platform != "win32"  # bwrap starts it
import resource

report, limits, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
os.set_inheritable(report, False)
for limit in filter(None, limits.split(",")):
    what, value = map(int, limit.split("="))
    highest = resource.getrlimit(what)[1]
    value = value if highest == resource.RLIM_INFINITY else min(value, highest)
    resource.setrlimit(what, (value, value))
child = os.fork()
if not child:
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(report, b"error %d\n" % (error.errno or 0))
    os._exit(127)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
os.write(report, b"ended %d\n" % status)
