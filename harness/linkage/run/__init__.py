"""Carrying plans out: processes, working folders, the job server, the session."""
