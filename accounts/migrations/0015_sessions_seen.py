"""When a session was last used, and an index by which a person's sessions are found.

The table stays Django's: processes of the previous release go on using it, and leave the column empty.
"""

from django.db import migrations, models

INDEX = "django_session_by_user"


def add_column(apps, schema_editor):
    session = apps.get_model("accounts", "Session")
    schema_editor.add_field(session, session._meta.get_field("seen_at"))


def remove_column(apps, schema_editor):
    session = apps.get_model("accounts", "Session")
    field = models.DateTimeField(null=True)
    field.set_attributes_from_name("seen_at")
    schema_editor.remove_field(session, field)


def add_index(apps, schema_editor):
    online = "CONCURRENTLY" if schema_editor.connection.vendor == "postgresql" else ""
    # What an interrupted attempt has left is invalid, and would keep its name.
    schema_editor.execute(f"DROP INDEX {online} IF EXISTS {INDEX}")
    schema_editor.execute(
        f"CREATE INDEX {online} {INDEX} ON django_session (user_id) WHERE user_id IS NOT NULL"
    )


def remove_index(apps, schema_editor):
    schema_editor.execute(f"DROP INDEX IF EXISTS {INDEX}")


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("accounts", "0014_token_scopes"),
    ]

    operations = [
        migrations.AddField(
            model_name="session",
            name="seen_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(add_column, remove_column),
        migrations.RunPython(add_index, remove_index),
    ]
