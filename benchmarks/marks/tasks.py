"""The same mark as a procrastinate task; its integration finds modules called tasks."""

from procrastinate.contrib.django import app

from .job import note


@app.task(name="mark")
def mark(name):
    note(name)
