"""How many bookings a member may have, in words."""

from django.utils.translation import ngettext

from spaces.limits import Quota
from spaces.models import Place


def quota_in_words(quota: Quota) -> str:
    """Say a quota as it is, for whoever has used it up."""
    if not quota.kind:
        text = ngettext(
            "A member may have %(n)d upcoming booking here at a time.",
            "A member may have %(n)d upcoming bookings here at a time.",
            quota.max_upcoming,
        )
        return text % {"n": quota.max_upcoming}
    text = ngettext(
        "A member may have %(n)d upcoming booking here at a time (%(kind)s).",
        "A member may have %(n)d upcoming bookings here at a time (%(kind)s).",
        quota.max_upcoming,
    )
    return text % {"n": quota.max_upcoming, "kind": Place.Kind(quota.kind).label}
