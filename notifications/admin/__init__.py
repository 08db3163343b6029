"""Who is told, in Django admin: webhooks, what was sent, and what could not be accepted."""

from notifications.admin import deliveries, endpoints, requests  # noqa: F401 - registers them
