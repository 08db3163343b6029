"""Pages about the person. Leaving is in bookings, because it cancels them."""

from django.urls import path

from accounts import again, data_views, email_views, session_views, sure_views, views
from accounts.oidc import views as oidc
from accounts.second import passkey_views
from accounts.second import views as second

urlpatterns = [
    path("register/", views.register, name="register"),
    path("login/", views.login, name="login"),
    path("login/second/", second.second, name="second"),
    path("login/passkey/", passkey_views.passkey_sign_in, name="passkey_sign_in"),
    path("logout/", views.logout, name="logout"),
    path("profile/", views.profile, name="profile"),
    path("data.json", data_views.my_data, name="my_data"),
    path("password/", views.password, name="password"),
    path("email/", email_views.email, name="email"),
    path("email/again/", email_views.email_again, name="email_again"),
    path("email/<str:key>/", email_views.confirm_email, name="confirm_email"),
    path("stays/", views.stays, name="stays"),
    path("forgotten/", views.forgotten, name="forgotten"),
    path("forgotten/<str:key>/", views.new_password, name="new_password"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<uuid:code>/revoke/", views.revoke, name="revoke"),
    path("language/", views.language, name="language"),
    path("sessions/", session_views.sessions, name="sessions"),
    path("sure/", sure_views.sure, name="sure"),
    path("factors/", second.factors, name="factors"),
    path("factors/app/", second.factor_app, name="factor_app"),
    path("factors/app/remove/", second.factor_app_remove, name="factor_app_remove"),
    path("factors/codes/", second.factor_codes, name="factor_codes"),
    path("factors/passkeys/", passkey_views.passkey_add, name="passkey_add"),
    path("factors/passkeys/<uuid:code>/name/", passkey_views.passkey_name, name="passkey_name"),
    path(
        "factors/passkeys/<uuid:code>/remove/", passkey_views.passkey_remove, name="passkey_remove"
    ),
    path("passkeys/options/", passkey_views.passkey_options, name="passkey_options"),
    path("oidc/", oidc.oidc, name="oidc"),
    path("oidc/back/", oidc.oidc_back, name="oidc_back"),
    path("oidc/link/", oidc.oidc_link, name="oidc_link"),
    path("oidc/unlink/", oidc.oidc_unlink, name="oidc_unlink"),
    path("again/<str:key>/", again.again, name="again"),
]
