from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from django.contrib.auth import user_logged_in

        from accounts import access, acts, audit, personal, signed_in, sure, tokens
        from accounts.oidc import services as oidc
        from accounts.second import passkeys

        user_logged_in.connect(sure.signed_in)
        user_logged_in.connect(signed_in.note)

        access.KINDS.append(access.Kind(_("API tokens"), "tokens", tokens.names, tokens.revoke_all))
        keys = access.Kind(_("Passkeys"), "factors", passkeys.names, passkeys.remove_all)
        access.KINDS.append(keys)
        there = access.Kind(_("Accounts of the provider"), "factors", oidc.names, oidc.unlink_all)
        access.KINDS.append(there)
        acts.register()
        personal.register()
        audit.register()
