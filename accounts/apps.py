from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from accounts import access, acts, tokens

        access.KINDS.append(access.Kind(_("API tokens"), "tokens", tokens.names, tokens.revoke_all))
        acts.register()
