"""Whether a release can be deployed while the one before it serves: what its migrations do."""
