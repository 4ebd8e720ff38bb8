"""The pages of `linkage report`: files by name, from recorded verdicts. Starts nothing, writes nothing."""
