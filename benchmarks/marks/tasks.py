"""The same work as procrastinate tasks. Its integration loads modules called tasks."""

from procrastinate.contrib.django import app

from . import notes


@app.task(name="mark")
def mark(name):
    notes.note(name)


@app.task(name="doze")
def doze(name, works):
    notes.doze(name, works)
