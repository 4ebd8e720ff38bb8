"""Generated crate graphs whose outputs check each other."""
