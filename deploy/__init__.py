"""A self-hosted cluster: the templates of its configuration, and what fills them in."""
