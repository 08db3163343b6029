"""What the forms of setting up do, for the person who submits one again."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.acts import filled_in
from accounts.models import User
from accounts.presses import ACTS, Act
from bookings.staff.members import TierForm
from bookings.staff.people import InviteForm
from bookings.staff.rule_form import RuleForm
from spaces.founding_form import FoundingForm
from spaces.models import Space


def register() -> None:
    ACTS["join"] = Act(gettext_lazy("Accept"))
    ACTS["staff_setup"] = Act(gettext_lazy("Open the venue"), filled_in(FoundingForm))
    ACTS["staff_people"] = Act(gettext_lazy("Send the invitation"), filled_in(InviteForm))
    ACTS["staff_invitation"] = Act(_invitation)
    ACTS["staff_role"] = Act(_role)
    ACTS["staff_holidays"] = Act(_days)
    ACTS["staff_rule"] = Act(_rule, _filled_in_rule)
    ACTS["staff_shift"] = Act(_shift)
    ACTS["staff_turns"] = Act(gettext_lazy("Save the turn times"))
    ACTS["staff_combination_new"] = Act(gettext_lazy("Save the combination"))
    ACTS["staff_combination"] = Act(_combination)
    ACTS["staff_tiers"] = Act(gettext_lazy("Send the invitation"))
    ACTS["staff_tier_new"] = Act(gettext_lazy("Make the tier"), filled_in(TierForm))
    ACTS["staff_tier"] = Act(_tier)
    ACTS["staff_member"] = Act(gettext_lazy("Save"))
    ACTS["staff_members_import"] = Act(_members)
    ACTS["staff_doors"] = Act(gettext_lazy("Make the address"))
    ACTS["staff_door_revoke"] = Act(gettext_lazy("Revoke the screen"), is_dangerous=True)
    ACTS["staff_guest"] = Act(gettext_lazy("Save"))
    ACTS["staff_guest_links"] = Act(gettext_lazy("Stop the links"))
    ACTS["staff_guest_erase"] = Act(gettext_lazy("Forget this guest"), is_dangerous=True)


def _invitation(sent: QueryDict) -> str:
    return _("Revoke") if sent.get("act") == "revoke" else _("Send again")


def _role(sent: QueryDict) -> str:
    if not sent.get("role"):
        return _("Remove from the staff")
    return _("Make a manager") if sent["role"] == "MANAGER" else _("Make a host")


def _rule(sent: QueryDict) -> str:
    if "choice" not in sent:
        return _("See whom it hits")
    return _("Remove the rule") if "remove" in sent else _("Save the rule")


def _filled_in_rule(
    sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser
) -> list[str]:
    """Describe a rule to whoever may make it: its choices are those of the space."""
    if not isinstance(reader, User):
        return []
    space = Space.objects.managed_by(reader).filter(slug=address["slug"]).first()
    if space is None:
        return []
    return filled_in(lambda data: RuleForm(data, space=space))(sent, address, reader)


def _shift(sent: QueryDict) -> str:
    if "remove" not in sent:
        return _("Save the shift")
    return _("Remove the shift") if "choice" in sent else _("Remove the shift…")


def _combination(sent: QueryDict) -> str:
    if "remove" not in sent:
        return _("Save the combination")
    return _("Remove the combination") if "choice" in sent else _("Remove the combination…")


def _tier(sent: QueryDict) -> str:
    if "ask" in sent:
        return _("Delete the tier…")
    return _("Delete the tier") if "delete" in sent else _("Rename")


def _members(sent: QueryDict) -> str:
    return _("Do all of it") if "lines" in sent else _("See what it changes")


def _days(sent: QueryDict) -> str:
    if sent.get("act") == "stop":
        return _("Open these days again")
    return _("Close every year") if sent.get("act") == "yearly" else _("Close these days")
