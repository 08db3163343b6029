"""The JSON API's ground: who asks, how often, what went wrong. Each app adds its operations."""
