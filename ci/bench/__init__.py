"""What the harness costs beside what it runs."""
