from decimal import Decimal

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("competitors", "0012_research_and_performance"),
        ("pipeline", "0015_archived_brands"),
    ]

    operations = [
        migrations.AddField(
            model_name="redditpost",
            name="original_id",
            field=models.CharField(
                default="",
                editable=False,
                help_text="Of a crosspost, the post that it repeats; else its own id. One of them stays.",
                max_length=20,
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="redditfinding",
            name="left_at",
            field=models.CharField(
                blank=True,
                choices=[
                    ("filters", "Too few upvotes or comments"),
                    ("nsfw", "For adults only"),
                    ("not_measured", "Not measured"),
                    ("relevance", "Not about the topic, or little signal"),
                    ("share", "Not among the best"),
                    ("kept", "Kept"),
                ],
                default="",
                help_text="Empty: not looked at yet.",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="redditresearch",
            name="stop_at_usd",
            field=models.DecimalField(
                decimal_places=2,
                default=3,
                max_digits=6,
                validators=[django.core.validators.MinValueValidator(Decimal("0.05"))],
                verbose_name="stop at (USD)",
            ),
        ),
        migrations.AddConstraint(
            model_name="redditpost",
            constraint=models.UniqueConstraint(fields=("brand", "original_id"), name="reddit_crossposts_once_per_brand"),
        ),
    ]
