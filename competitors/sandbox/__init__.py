"""A local imitation of Apify, of Meta's Graph API and of its CDN over real HTTP, for development and tests.

It keeps everything in memory and imports nothing from Django. In the product only ``manage.py sandbox``
imports it; the demo starts that command. A restart forgets every run, like Apify after its retention.
"""
