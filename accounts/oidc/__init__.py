"""Sign-in by OpenID Connect: another place says who somebody is. Its rules: docs/sign-in.md."""
