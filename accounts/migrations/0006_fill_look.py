"""Write what each login looks like. Who looks like somebody earlier keeps the login."""

from django.db import migrations

from accounts.lookalikes import look

CHUNK = 500


def fill(apps, schema_editor):
    User = apps.get_model('accounts', 'User')
    seen, people = set(), []
    for user in User.objects.order_by('pk').only('pk', 'username').iterator(chunk_size=CHUNK):
        user.look = look(user.username)
        user.looks_alike = user.look in seen
        seen.add(user.look)
        people.append(user)
    User.objects.bulk_update(people, ['look', 'looks_alike'], batch_size=CHUNK)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_look_tally_question'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
