"""The application broken on purpose, to see that the checker and the suite notice it."""
