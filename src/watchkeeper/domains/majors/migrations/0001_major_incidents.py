import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("desk", "0001_initial"),
        ("inventory", "0007_match_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StatusPage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                ("slug", models.SlugField(max_length=60, unique=True, verbose_name="address")),
                ("public", models.BooleanField(default=False, verbose_name="for everybody")),
                ("description", models.CharField(blank=True, default="", max_length=300)),
                ("days", models.PositiveSmallIntegerField(default=90, verbose_name="days of history")),
            ],
            options={
                "verbose_name": "status page",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="StatusComponent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("section", models.CharField(blank=True, default="", max_length=100)),
                ("position", models.PositiveSmallIntegerField(default=1)),
                ("description", models.CharField(blank=True, default="", max_length=300)),
                (
                    "follows",
                    models.BooleanField(default=True, verbose_name="follows the health of its service"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("operational", "operational"),
                            ("degraded", "degraded performance"),
                            ("partial_outage", "partial outage"),
                            ("major_outage", "major outage"),
                        ],
                        default="operational",
                        editable=False,
                        max_length=16,
                    ),
                ),
                (
                    "since_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="since"
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="inventory.item",
                        verbose_name="service",
                    ),
                ),
                (
                    "page",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="components",
                        to="majors.statuspage",
                    ),
                ),
            ],
            options={
                "verbose_name": "status component",
                "ordering": ["page__name", "section", "position", "id"],
            },
        ),
        migrations.CreateModel(
            name="MajorIncident",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(editable=False, max_length=20, null=True, unique=True)),
                ("title", models.CharField(max_length=300)),
                ("impact", models.TextField(blank=True, default="", verbose_name="what it means for people")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("investigating", "investigating"),
                            ("identified", "identified"),
                            ("monitoring", "monitoring"),
                            ("resolved", "resolved"),
                        ],
                        default="investigating",
                        editable=False,
                        max_length=16,
                    ),
                ),
                (
                    "bridge",
                    models.CharField(
                        blank=True, default="", max_length=300, verbose_name="where people meet"
                    ),
                ),
                ("stakeholders", models.JSONField(blank=True, default=list, verbose_name="told by mail")),
                (
                    "every",
                    models.PositiveSmallIntegerField(default=30, verbose_name="minutes between updates"),
                ),
                (
                    "component_state",
                    models.CharField(
                        choices=[
                            ("operational", "operational"),
                            ("degraded", "degraded performance"),
                            ("partial_outage", "partial outage"),
                            ("major_outage", "major outage"),
                        ],
                        default="partial_outage",
                        max_length=16,
                        verbose_name="how they are",
                    ),
                ),
                (
                    "declared_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="declared"
                    ),
                ),
                (
                    "next_update_at",
                    models.DateTimeField(
                        default=None, editable=False, null=True, verbose_name="next update due"
                    ),
                ),
                (
                    "resolved_at",
                    models.DateTimeField(default=None, editable=False, null=True, verbose_name="resolved"),
                ),
                (
                    "commander",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="commander",
                    ),
                ),
                (
                    "communications",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="communications",
                    ),
                ),
                (
                    "scribe",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="scribe",
                    ),
                ),
                (
                    "ticket",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="major",
                        to="desk.ticket",
                        verbose_name="incident",
                    ),
                ),
                (
                    "components",
                    models.ManyToManyField(blank=True, related_name="majors", to="majors.statuscomponent"),
                ),
            ],
            options={
                "verbose_name": "major incident",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="StatusUpdate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("investigating", "investigating"),
                            ("identified", "identified"),
                            ("monitoring", "monitoring"),
                            ("resolved", "resolved"),
                        ],
                        max_length=16,
                    ),
                ),
                ("text", models.TextField()),
                ("public", models.BooleanField(default=True, verbose_name="also on status pages")),
                (
                    "author",
                    models.CharField(
                        blank=True, default="", editable=False, max_length=150, verbose_name="by"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "major",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="updates",
                        to="majors.majorincident",
                        verbose_name="major incident",
                    ),
                ),
            ],
            options={
                "verbose_name": "status update",
                "ordering": ["-at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ComponentSpell",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("operational", "operational"),
                            ("degraded", "degraded performance"),
                            ("partial_outage", "partial outage"),
                            ("major_outage", "major outage"),
                        ],
                        max_length=16,
                    ),
                ),
                ("begins_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(default=None, null=True, verbose_name="until")),
                ("reason", models.CharField(blank=True, default="", max_length=200)),
                (
                    "component",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="spells",
                        to="majors.statuscomponent",
                    ),
                ),
            ],
            options={
                "verbose_name": "component spell",
                "ordering": ["-begins_at", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ends_at", None)), fields=("component",), name="one_spell_goes_on"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="statuscomponent",
            constraint=models.UniqueConstraint(fields=("page", "name"), name="component_once_a_page"),
        ),
    ]
