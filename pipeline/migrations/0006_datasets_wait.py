from django.db import migrations, models


def leave_running(apps, schema_editor):
    """Data that a waiting or ended run left as running says so. The next state of a live run writes the full truth."""
    running = apps.get_model("pipeline", "DatasetStatus").objects.filter(last_status="running")
    running.filter(last_run__status="pending").update(last_status="waiting", error_message="Its run waits in the queue.")
    running.exclude(last_run__status__in=["running", "waiting"]).update(last_status="unknown")


class Migration(migrations.Migration):

    dependencies = [
        ('pipeline', '0005_plainer_help_texts'),
    ]

    operations = [
        migrations.AlterField(
            model_name='datasetstatus',
            name='last_status',
            field=models.CharField(choices=[('completed', 'Completed'), ('failed', 'Failed'), ('running', 'Running'), ('waiting', 'Waiting'), ('unknown', 'Unknown')], default='unknown', max_length=10),
        ),
        migrations.RunPython(leave_running, migrations.RunPython.noop),
    ]
