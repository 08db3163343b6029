from django.db import migrations, models

from accounts import watching


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0022_audit_entries_by_request'),
    ]

    operations = [
        migrations.AddField(
            model_name='factorevent',
            name='due_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='factorevent',
            name='language',
            field=models.CharField(blank=True, db_default='', max_length=5),
        ),
        migrations.AddField(
            model_name='factorevent',
            name='request_id',
            field=models.CharField(
                blank=True, db_default='', default=watching.request_id, editable=False, max_length=64
            ),
        ),
        migrations.AlterField(
            model_name='factorevent',
            name='kind',
            field=models.CharField(choices=[('APP_ADDED', 'Authenticator app set up'), ('APP_REMOVED', 'Authenticator app removed'), ('PASSKEY_ADDED', 'Passkey added'), ('PASSKEY_REMOVED', 'Passkey removed'), ('LINKED', 'Account of the provider linked'), ('UNLINKED', 'Account of the provider unlinked'), ('CODES_MADE', 'New recovery codes'), ('CODE_USED', 'Recovery code used'), ('RESET', 'All taken away by the operator'), ('PASSWORD', 'Password changed')], max_length=20),
        ),
    ]
