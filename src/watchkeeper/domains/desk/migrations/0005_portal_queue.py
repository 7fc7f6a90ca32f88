from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0002_governance"),
        ("agreements", "0002_service_levels"),
        ("desk", "0004_service_levels"),
    ]

    operations = [
        migrations.AddField(
            model_name="queue",
            name="portal",
            field=models.BooleanField(
                default=False,
                error_messages={"unique": "another queue takes what comes from the portal"},
                verbose_name="takes what comes from the portal",
            ),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="source",
            field=models.CharField(
                choices=[
                    ("console", "by hand"),
                    ("situation", "from a situation"),
                    ("mail", "by e-mail"),
                    ("portal", "from the portal"),
                ],
                default="console",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.UniqueConstraint(
                condition=models.Q(("portal", True)),
                fields=("portal",),
                name="one_queue_of_the_portal",
            ),
        ),
    ]
