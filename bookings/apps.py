from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BookingsConfig(AppConfig):
    name = "bookings"
    verbose_name = _("Bookings")

    def ready(self) -> None:
        from bookings.deciding.guards import bookings_that_keep, objection_to_reshaping
        from spaces.services import keepers, objections

        keepers.append(bookings_that_keep)
        objections.append(objection_to_reshaping)
