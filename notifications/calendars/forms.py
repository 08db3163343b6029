"""What the staff can make a calendar for."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from notifications.models import CalendarFeed
from spaces.models import Place, Space

WHOLE = "space"


class SpaceFeedForm(forms.Form):
    """A space or one of its places, if the person has no address for it yet."""

    what = forms.ChoiceField(label=_("What it shows"))

    def __init__(self, data: Any, *, space: Space, feeds: Iterable[CalendarFeed]) -> None:
        super().__init__(data)
        made = {feed.place_id for feed in feeds}
        self.places = {
            str(place.code): place
            for place in Place.objects.in_space(space).by_number()
            if place.pk not in made
        }
        whole = [] if None in made else [(WHOLE, _("the whole space"))]
        choices = [*whole, *((code, str(place)) for code, place in self.places.items())]
        self.fields["what"] = forms.ChoiceField(label=_("What it shows"), choices=choices)

    @property
    def place(self) -> Place | None:
        """The chosen place; None for the whole space."""
        return self.places.get(self.cleaned_data["what"])
