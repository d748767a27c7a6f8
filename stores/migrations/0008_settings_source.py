from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stores", "0007_claim_lease")]

    operations = [
        migrations.AlterField(
            model_name="change",
            name="source",
            field=models.CharField(
                choices=[
                    ("api", "API"),
                    ("admin", "Admin"),
                    ("chat", "Chat page"),
                    ("command", "Command"),
                    ("import", "Import"),
                    ("test", "Test"),
                    ("settings", "Settings page"),
                ],
                help_text="What it was made through.",
                max_length=8,
            ),
        ),
    ]
