"""Who waits at the door, and what they have to be told."""

import django.db.models.deletion
from django.db import migrations, models

import spaces.codes


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0023_holds_to_end'),
        ('spaces', '0014_minutes_to_answer'),
    ]

    operations = [
        migrations.CreateModel(
            name='WaitingParty',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.UUIDField(default=spaces.codes.new_code, editable=False, unique=True)),
                ('name', models.CharField(max_length=150, verbose_name='name')),
                ('phone', models.CharField(blank=True, max_length=40, verbose_name='phone')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('party_size', models.PositiveSmallIntegerField(verbose_name='people')),
                ('area', models.CharField(blank=True, max_length=40, verbose_name='area')),
                ('language', models.CharField(choices=[('en', 'English'), ('ru', 'Русский')], default='en', max_length=5, verbose_name='language')),
                ('state', models.CharField(choices=[('WAITING', 'waiting'), ('TOLD', 'told'), ('COMING', 'coming'), ('SEATED', 'seated'), ('DECLINED', 'declined'), ('LAPSED', 'did not answer'), ('LEFT', 'left')], default='WAITING', max_length=8, verbose_name='state')),
                ('quoted_minutes', models.PositiveSmallIntegerField(null=True)),
                ('created_at', models.DateTimeField()),
                ('told_at', models.DateTimeField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('missed_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('request_key', models.CharField(editable=False, max_length=200, null=True)),
                ('nonce', models.CharField(editable=False, max_length=43)),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('revoked_at', models.DateTimeField(editable=False, null=True)),
                ('booking', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='waiting_parties', to='bookings.booking')),
                ('guest', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='waiting_parties', to='bookings.guest')),
                ('space', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='waiting_parties', to='spaces.space')),
            ],
            options={
                'verbose_name': 'waiting party',
                'verbose_name_plural': 'waiting parties',
                'default_permissions': (),
                'indexes': [
                    models.Index(fields=['space', 'created_at'], name='waiting_party_of_an_evening'),
                    models.Index(condition=models.Q(('state__in', ('WAITING', 'TOLD', 'COMING'))), fields=['created_at'], name='waiting_party_open'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='waiting_party_named'),
                    models.CheckConstraint(condition=models.Q(('party_size__gte', 1)), name='waiting_party_size'),
                    models.CheckConstraint(condition=models.Q(models.Q(('state', 'TOLD'), _negated=True), ('told_at__isnull', False), _connector='OR'), name='waiting_party_told'),
                    models.UniqueConstraint(fields=('space', 'request_key'), name='waiting_party_request_key_once'),
                ],
            },
        ),
        migrations.CreateModel(
            name='WaitingNews',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('ADDED', 'on the list'), ('READY', 'a table is ready'), ('MISSED', 'somebody else was quicker')], max_length=6)),
                ('created_at', models.DateTimeField()),
                ('mail_due_at', models.DateTimeField(null=True)),
                ('text_due_at', models.DateTimeField(null=True)),
                ('party', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='news', to='bookings.waitingparty')),
            ],
            options={
                'default_permissions': (),
                'indexes': [
                    models.Index(condition=models.Q(('mail_due_at__isnull', False)), fields=['mail_due_at'], name='waiting_news_to_mail'),
                    models.Index(condition=models.Q(('text_due_at__isnull', False)), fields=['text_due_at'], name='waiting_news_to_text'),
                ],
            },
        ),
    ]
