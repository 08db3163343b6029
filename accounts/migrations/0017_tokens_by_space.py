"""Find the tokens of a space, when it is deleted."""

from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("accounts", "0016_identities"),
    ]

    operations = [
        online.AddIndex(
            model_name="apitoken",
            index=models.Index(fields=["space"], name="api_token_by_space"),
        ),
    ]
