"""Every setting, declared once: docs/configuration.md and .env.example are made from this.

`scripts/configuration.py write` makes them again after a change.
"""

from config.declared import accounts, database, notices, operating, ourselves, site, watching
from config.declared.kinds import Section, Setting

SECTIONS: tuple[Section, ...] = (
    site.SITE,
    site.PROCESSES,
    database.DATABASE,
    database.WAITS,
    database.CACHE,
    accounts.ACCOUNTS,
    accounts.AUDIT,
    accounts.OIDC,
    accounts.GUESTS,
    accounts.API,
    notices.MAIL,
    notices.DELIVERIES,
    notices.TEXTS,
    notices.KAFKA,
    operating.BACKUPS,
    watching.WATCHING,
    ourselves.OURSELVES,
)

SETTINGS: dict[str, Setting] = {
    setting.name: setting for section in SECTIONS for setting in section.settings
}
