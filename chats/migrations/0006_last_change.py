from django.db import migrations, models
from django.db.models.functions import Coalesce

from stores.records.milliseconds import Milliseconds


class Migration(migrations.Migration):

    dependencies = [
        ("chats", "0005_plain_names"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                Coalesce("updated", "created", Milliseconds("created_at")), name="chats_conversation_change"
            ),
        ),
    ]
