"""Who invited whom, who joined, who got or lost a role."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0011_tiers_and_invitations'),
        ('spaces', '0013_one_audience_looked_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='TeamEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('INVITED', 'Invited'), ('REVOKED', 'Revoked'), ('JOINED', 'Joined'), ('ROLE', 'Role'), ('LEFT', 'Left')], max_length=7)),
                ('at', models.DateTimeField()),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('role', models.CharField(blank=True, max_length=7)),
                ('tier', models.CharField(blank=True, max_length=60)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='team_events', to='spaces.space')),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['space', '-at'], name='team_event_by_space')],
            },
        ),
    ]
