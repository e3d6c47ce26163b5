"""A click storm over real HTTP."""

import threading

import pytest
import requests
from django.test import Client

from pipeline.models import Job, Run
from tests.factories import make_listing

pytestmark = pytest.mark.django_db(transaction=True)


def test_fifty_simultaneous_posts_from_ten_connections_make_one_run(live_server, django_user_model):
    listing = make_listing()
    user = django_user_model.objects.create_superuser("operator", password="pass")
    client = Client()
    client.force_login(user)
    tab = listing.competitor.get_absolute_url()
    address = f"{live_server.url}{tab}amazon/{listing.pk}/scrape/".replace("/amazon/amazon/", "/amazon/")
    barrier, statuses = threading.Barrier(10), []

    def click():
        with requests.Session() as session:
            session.cookies.update({name: cookie.value for name, cookie in client.cookies.items()})
            token = (
                session.get(live_server.url + tab, timeout=30).text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
            )
            barrier.wait(30)
            for _ in range(5):
                answer = session.post(address, data={"csrfmiddlewaretoken": token}, allow_redirects=False, timeout=30)
                statuses.append(answer.status_code)

    threads = [threading.Thread(target=click) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert statuses == [303] * 50
    assert (Run.objects.count(), Job.objects.count()) == (1, 1)
