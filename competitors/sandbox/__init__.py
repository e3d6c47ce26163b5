"""A local imitation of Apify over real HTTP, for development and tests.

It keeps everything in memory and imports nothing from Django. No production code imports it: only
``manage.py sandbox`` and the tests start it. A restart forgets every run, like Apify after its retention.
"""
