"""Pages about the person. Leaving is in bookings, because it cancels them."""

from django.urls import path

from accounts import again, email_views, views

urlpatterns = [
    path("register/", views.register, name="register"),
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("profile/", views.profile, name="profile"),
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
    path("again/<str:key>/", again.again, name="again"),
]
