"""How often somebody may try, and what guests and programs may do."""

from config.declared.kinds import (
    FLAG,
    LIST,
    SITE,
    TEXT,
    WHOLE,
    Reader,
    Section,
    Setting,
)


def _tries(name: str, default: int, meaning: str) -> Setting:
    return Setting(name, WHOLE, default, meaning, Reader.WEB, least=1)


ACCOUNTS = Section(
    "Accounts and sign-in",
    (
        _tries(
            "LOGIN_FAILURE_LIMIT",
            10,
            "How many wrong passwords lock a login for 15 minutes.",
        ),
        _tries(
            "ADDRESS_FAILURE_LIMIT",
            100,
            "How many wrong passwords lock a network address for 15 minutes; a whole space may "
            "share one.",
        ),
        _tries("SIGN_UPS_PER_ADDRESS", 300, "Sign-ups an hour from one network address."),
        _tries("SIGN_UPS_PER_LOGIN", 30, "Tries an hour to sign up under one login."),
        _tries(
            "FORGOTTEN_PER_ADDRESS", 20, "Forgotten passwords an hour from one network address."
        ),
        _tries("FORGOTTEN_PER_LOGIN", 10, "Forgotten passwords an hour for one login."),
        _tries("TOKENS_PER_ADDRESS", 600, "API tokens an hour asked for from one network address."),
        _tries("TOKENS_PER_LOGIN", 60, "API tokens an hour asked for with one login."),
        _tries(
            "CODES_PER_ADDRESS",
            300,
            "Codes and passkeys of a second factor tried an hour from one network address.",
        ),
        Setting(
            "SECOND_FACTOR_REQUIRED_OF",
            TEXT,
            "",
            "Who has to have a second factor: managers (and superusers, and hosts in the admin "
            "only), staff (hosts everywhere), or everybody. Without it nobody has to, and "
            "everybody may.",
            Reader.WEB,
            choices=("managers", "staff", "everybody"),
            example="managers",
        ),
        _tries(
            "LETTERS_PER_MAILBOX",
            5,
            "Confirmation links an hour to one mail address: nobody can flood a mailbox through "
            "us.",
        ),
    ),
)

AUDIT = Section(
    "Who did what, and how long it is kept",
    (
        Setting(
            "AUDIT_RETENTION_DAYS",
            WHOLE,
            365,
            "How many days the audit (who did what) is kept; 0: for ever.",
            least=0,
        ),
        Setting(
            "AUDIT_ADDRESSES",
            TEXT,
            "network",
            "How much of network addresses the audit keeps; network: 203.0.113.0 of 203.0.113.77.",
            choices=("whole", "network", "none"),
        ),
        Setting(
            "NOTES_RETENTION_DAYS",
            WHOLE,
            0,
            "After how many days notes on past bookings, and reasons of what happened to them, are "
            "erased; 0: never.",
            Reader.WORKER,
            least=0,
        ),
    ),
)

OIDC = Section(
    "Sign-in by OpenID Connect",
    (
        Setting(
            "OIDC_ISSUER",
            SITE,
            "",
            "The provider whose accounts sign in here too, by its address; without it, none does. "
            "See docs/sign-in.md.",
            Reader.WEB,
            example="https://accounts.example.org",
        ),
        Setting(
            "OIDC_CLIENT_ID",
            TEXT,
            "",
            "What the provider calls this site.",
            Reader.WEB,
            example="mesto",
        ),
        Setting(
            "OIDC_CLIENT_SECRET",
            TEXT,
            "",
            "By what the provider knows that it is this site.",
            Reader.WEB,
            is_secret=True,
        ),
        Setting(
            "OIDC_NAME",
            TEXT,
            "OpenID",
            "What people call the provider: it is on the button.",
            Reader.WEB,
            example="Example ID",
        ),
        Setting(
            "OIDC_DOMAINS",
            LIST,
            (),
            "Only people with confirmed e-mail addresses of these domains come in by it; without, "
            "all.",
            Reader.WEB,
            example="example.org,example.com",
        ),
        Setting(
            "OIDC_PROVISION",
            FLAG,
            False,
            "Whether somebody who has no account here yet gets one by signing in there.",
            Reader.WEB,
        ),
    ),
)

GUESTS = Section(
    "Guests without an account",
    (
        _tries("GUESTS_PER_ADDRESS", 60, "Bookings tried an hour from one network address."),
        _tries("GUESTS_PER_CONTACT", 10, "Bookings tried an hour for one e-mail address or phone."),
        _tries(
            "GUEST_MOST_UPCOMING", 3, "How many upcoming bookings a guest may have in one space."
        ),
        Setting(
            "GUEST_LINK_DAYS",
            WHOLE,
            7,
            "How many days after the booking the guest's link works.",
            least=0,
        ),
    ),
)

API = Section(
    "The API and the queue",
    (
        _tries(
            "API_RATE_PER_TOKEN", 600, "API requests a minute that a token (or a session) may send."
        ),
        _tries(
            "API_RATE_PER_ADDRESS", 3000, "API requests a minute that a network address may send."
        ),
        Setting(
            "GRAPHQL_INTROSPECTION",
            FLAG,
            True,
            "Whether `/api/graphql` tells its schema to whoever asks.",
            Reader.WEB,
        ),
        Setting(
            "API_WAITERS",
            WHOLE,
            None,
            "How many requests may wait for a decision at a time (`Prefer: wait`); each occupies a "
            "web "
            "process.",
            Reader.WEB,
            least=0,
            otherwise="half of the web processes",
            example="2",
        ),
        Setting(
            "DECISION_LEASE_SECONDS",
            WHOLE,
            8,
            "After how many seconds another worker takes over a decision that was begun and never "
            "finished: longer than the slowest decision takes.",
            least=1,
        ),
    ),
)
