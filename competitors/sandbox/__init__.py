"""A local imitation of the upstreams, over real HTTP, for development and tests.

It holds everything in memory, imports nothing of Django and is imported by no production code: only
``manage.py sandbox`` and the tests start it. A restart forgets every run, as if their retention were over.
"""
