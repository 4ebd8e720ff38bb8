"""One module for each subcommand of `linkage`."""
