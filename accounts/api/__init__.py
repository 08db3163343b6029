"""The JSON API's foundation: who is asking, how often, what went wrong. Apps add operations."""
