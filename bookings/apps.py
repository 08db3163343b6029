from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BookingsConfig(AppConfig):
    name = "bookings"
    verbose_name = _("Bookings")

    def ready(self) -> None:
        from bookings.guards import objection_to_reshaping
        from spaces.services import objections

        objections.append(objection_to_reshaping)
