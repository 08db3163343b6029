from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    """Who is told: reads the log of booking events, which does not know it is read."""

    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from accounts import access
        from notifications.calendars import feeds

        access.KINDS.append(
            access.Kind(_("Addresses of calendars"), "calendar", feeds.names, feeds.close_all)
        )
