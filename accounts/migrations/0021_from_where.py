"""Keep from where staff acted, and which request it was; also of letters."""

from django.db import migrations, models

from accounts import watching

KINDS = [
    ("SIGNED_IN", "signed in"),
    ("SIGNED_OUT", "signed out"),
    ("REFUSED", "wrong password"),
    ("CHANGED", "changed the set-up"),
    ("SECURITY", "changed how they sign in"),
    ("ACTED", "worked for somebody"),
]
REQUEST = {
    "blank": True,
    "db_default": "",
    "default": watching.request_id,
    "editable": False,
    "max_length": 64,
}


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0020_feature_flags_are_on"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="device",
            field=models.CharField(blank=True, db_default="", default="", max_length=60),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="request_id",
            field=models.CharField(**REQUEST),
        ),
        migrations.AddField(
            model_name="teamevent",
            name="request_id",
            field=models.CharField(**REQUEST),
        ),
        migrations.AddField(
            model_name="invitation",
            name="request_id",
            field=models.CharField(**REQUEST),
        ),
        migrations.AddField(
            model_name="passwordquestion",
            name="request_id",
            field=models.CharField(**REQUEST),
        ),
        migrations.AddField(
            model_name="passwordrequest",
            name="request_id",
            field=models.CharField(**REQUEST),
        ),
        migrations.AddField(
            model_name="emailletter",
            name="request_id",
            field=models.CharField(**REQUEST),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=10),
        ),
    ]
