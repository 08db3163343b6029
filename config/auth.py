"""The signed-in person, with what every page's frame shows of them, in one query."""

from django.contrib.auth.backends import ModelBackend
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import StaffRole, User
from bookings.models import Booking


class Backend(ModelBackend):
    def get_user(self, user_id: int) -> User | None:
        """Carry `upcoming_count` and `is_space_staff`, which the navigation needs on every page."""
        upcoming = Booking.objects.filter(member=OuterRef("pk")).upcoming(timezone.now())
        user = (
            User.objects.annotate(
                upcoming_count=upcoming.count_subquery(),
                is_space_staff=Exists(StaffRole.objects.filter(user=OuterRef("pk"))),
            )
            .filter(pk=user_id)
            .first()
        )
        return user if user is not None and self.user_can_authenticate(user) else None
