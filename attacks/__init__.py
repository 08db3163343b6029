"""Hostile requests over HTTP: `make attack`. Knows nothing of the application but its pages."""
