"""What whoever runs the site decides: backups."""

from config.declared.kinds import TEXT, WHOLE, Reader, Section, Setting

BACKUPS = Section(
    "Backups",
    (
        Setting(
            "BACKUP_URL",
            TEXT,
            None,
            "Where `manage.py backup` puts backups: a folder, or "
            "s3://bucket/prefix?endpoint=https://s3.example.org&region=eu-central-1.",
            Reader.COMMANDS,
            otherwise="var/backups",
            example="s3://bucket/mesto?endpoint=https://s3.example.org&region=eu-central-1",
        ),
        Setting(
            "BACKUP_S3_KEY",
            TEXT,
            "",
            "The access key of that bucket.",
            Reader.COMMANDS,
            example="mesto",
        ),
        Setting(
            "BACKUP_S3_SECRET",
            TEXT,
            "",
            "Its secret.",
            Reader.COMMANDS,
            is_secret=True,
            example=" ",
        ),
        Setting(
            "BACKUP_KEEP",
            WHOLE,
            14,
            "How many of the newest backups are kept; 0 keeps all.",
            Reader.COMMANDS,
            least=0,
        ),
        Setting(
            "BACKUP_AGE_RECIPIENT",
            TEXT,
            "",
            "The public key of https://age-encryption.org for which backups are encrypted; whoever "
            "restores needs its private key, which should never be on the site's machines.",
            Reader.COMMANDS,
            example="age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
        ),
        Setting(
            "BACKUP_MAX_AGE_HOURS",
            WHOLE,
            26,
            "How old the newest backup may be until `manage.py doctor` complains; 0: never, "
            "because "
            "somebody else makes backups.",
            Reader.COMMANDS,
            least=0,
        ),
    ),
)
