from django.db import migrations, models

import accounts.models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_password_request'),
    ]

    operations = [
        migrations.CreateModel(
            name='PasswordQuestion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('who', models.CharField(max_length=254)),
                ('language', models.CharField(max_length=5)),
                ('asked_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(max_length=20)),
                ('who', models.CharField(max_length=64)),
                ('used', models.PositiveIntegerField(default=0)),
                ('since', models.DateTimeField(db_index=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('what', 'who'), name='tally_once')],
            },
        ),
        migrations.AddField(
            model_name='user',
            name='look',
            field=accounts.models.LookField(db_index=True, editable=False, max_length=32, null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='looks_alike',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
