"""The second factor: what it is, who needs one, and the pages about it."""
