"""What all tests need of the process that runs them."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts a job in the background with SIGINT ignored, and children inherit it: tests
    # that interrupt a run would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
