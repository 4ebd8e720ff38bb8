"""Claims against observations: pure, and the same for fresh and kept results."""
