"""Let a session's row lead to the person's.

The table stays Django's: nobody is signed out, and processes of the previous release go on using it.
Its rows lead nowhere until they are saved again; until then, finding the person takes two statements.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def add_column(apps, schema_editor):
    session = apps.get_model("accounts", "Session")
    schema_editor.add_field(session, session._meta.get_field("user"))


def remove_column(apps, schema_editor):
    session = apps.get_model("accounts", "Session")
    schema_editor.remove_field(session, session._meta.get_field("user"))


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0009_addresses_of_before_are_confirmed"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Session",
            fields=[
                ("session_key", models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key")),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("user", models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                )),
            ],
            options={"db_table": "django_session", "managed": False},
        ),
        migrations.RunPython(add_column, remove_column),
    ]
