from django.db import migrations, models
from django.db.models import Sum

FIGURES = ("good", "doubted", "failed", "seconds", "usd")


def add_up(apps, schema_editor):
    DayTally, DayTotal = (apps.get_model("pipeline", name) for name in ("DayTally", "DayTotal"))
    sums = {f"{name}_sum": Sum(name) for name in FIGURES}
    for row in DayTally.objects.order_by().values("day", "job_type").annotate(**sums):
        figures = {name: row[f"{name}_sum"] for name in FIGURES}
        DayTotal.objects.create(day=row["day"], job_type=row["job_type"], **figures)


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0025_restores")]
    operations = [
        migrations.CreateModel(
            name="DayTotal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(help_text="In the site's zone.")),
                ("job_type", models.CharField(max_length=80)),
                ("good", models.PositiveIntegerField(default=0)),
                ("doubted", models.PositiveIntegerField(default=0, help_text="Partial or suspicious, not accepted.")),
                ("failed", models.PositiveIntegerField(default=0)),
                ("seconds", models.FloatField(default=0, help_text="That all completed runs took together.")),
                (
                    "usd",
                    models.DecimalField(
                        decimal_places=4, default=0, help_text="Paid starts of that day, USD.", max_digits=12
                    ),
                ),
            ],
            options={
                "ordering": ["day", "job_type"],
                "constraints": [models.UniqueConstraint(fields=("day", "job_type"), name="day_total_once")],
            },
        ),
        migrations.RunPython(add_up, migrations.RunPython.noop),
    ]
