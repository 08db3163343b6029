"""The first page of an empty site: whoever reads this terminal may become its owner."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts import commands, invitations


class Command(commands.Command):
    help = (
        "Print a link with which one person becomes the owner of a site without one. It works "
        "once, for a day; running this again ends it and prints another. Says nothing where there "
        "is an owner."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = invitations.of_owner(now=timezone.now())
        except invitations.HasOwner:
            return
        link = settings.SITE_URL + reverse("join", args=[key])
        self.stdout.write(
            "Nobody owns this site yet. Become its owner here; the link works once, for a day:\n"
            f"\n  {link}\n"
        )
