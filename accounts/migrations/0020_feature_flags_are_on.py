from django.db import migrations

FLAGS = ("live_board", "recommendations")


def switch_on(apps, schema_editor):
    rows = apps.get_model("waffle", "Switch").objects
    for name in FLAGS:
        rows.get_or_create(name=name, defaults={"active": True})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0019_feature_flag")]

    operations = [migrations.RunPython(switch_on, migrations.RunPython.noop)]
