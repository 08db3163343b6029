from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    """Who is told: reads the log of booking events, which doesn't know it is being read."""

    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from accounts import access
        from bookings.deciding import explaining, invariants
        from notifications import acts, losses, personal
        from notifications.calendars import feeds

        access.KINDS.append(
            access.Kind(_("Calendar addresses"), "calendar", feeds.names, feeds.close_all)
        )
        acts.register()
        personal.register()
        invariants.ALSO.append(losses.lost_deliveries)
        explaining.EXPLANATIONS["delivery"] = losses.EXPLANATION
        explaining.REPAIRS["delivery"] = losses.repair
