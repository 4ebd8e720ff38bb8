"""Running plans: processes, working folders, the job server, the session."""
