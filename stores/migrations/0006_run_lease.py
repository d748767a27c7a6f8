from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stores", "0005_key_fingerprint"),
    ]

    operations = [
        migrations.AddField(
            model_name="migrationrun",
            name="lease_until",
            field=models.BigIntegerField(
                default=0, db_default=0, help_text="Until when its owner answers for it, in ms since the epoch."
            ),
        ),
        migrations.AddField(
            model_name="migrationrun",
            name="owner",
            field=models.CharField(blank=True, default="", db_default="", help_text="The process that does it, and its machine.", max_length=64),
        ),
    ]
