from django.db import migrations, models


class Migration(migrations.Migration):
    """The events of a message are found by an index, as those of a chat are: a chat of thousands of messages has
    thousands of events."""

    dependencies = [
        ("metrics", "0004_ledger"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="usageevent",
            index=models.Index(fields=["conversation", "message"], name="metrics_event_message"),
        ),
        migrations.RemoveIndex(
            model_name="usageevent",
            name="metrics_event_conversation",
        ),
    ]
