"""What a place offers: a fixed vocabulary, so that it can be translated and searched."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Feature(models.TextChoices):
    WINDOW = "window", _("window")
    QUIET = "quiet", _("quiet")
    MONITOR = "monitor", _("monitor")
    SOCKET = "socket", _("power socket")
    STANDING = "standing", _("standing desk")
    SCREEN = "screen", _("screen")
    WHITEBOARD = "whiteboard", _("whiteboard")
    PHONE = "phone", _("phone calls welcome")
    ACCESSIBLE = "accessible", _("step-free")
    TERRACE = "terrace", _("terrace")
    SOFA = "sofa", _("sofa")
    BAR = "bar", _("at the bar")
    HIGH_CHAIR = "high_chair", _("high chair")


#: As the database has them. An enum makes the list of its values anew each time.
NAMES = frozenset(feature.value for feature in Feature)
