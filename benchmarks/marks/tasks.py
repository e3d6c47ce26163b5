"""The same work as procrastinate tasks. Its integration loads modules called tasks."""

from procrastinate.contrib.django import app

from . import job


@app.task(name="mark")
def mark(name):
    job.note(name)


@app.task(name="doze")
def doze(name, works):
    job.doze(name, works)
