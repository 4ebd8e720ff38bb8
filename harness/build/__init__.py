"""From a variant to an observation: the plan, the runner, the store."""
