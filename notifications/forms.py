"""Forms for what members want to be told."""

from django import forms
from django.utils.translation import gettext_lazy as _

from notifications.models import MailPreference


class MailPreferenceForm(forms.ModelForm):  # type: ignore[type-arg]  # at run time it takes none
    class Meta:
        model = MailPreference
        fields = ("reminders",)
        help_texts = {"reminders": _("Some hours before the start; the space decides how many.")}
