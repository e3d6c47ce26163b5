"""A page that asks the database once for each of its rows is an error, in every test: django-zeal.

Only where something is shown: what a form changes is locked and changed one by one.
"""

from zeal import zeal_context


def middleware(answer):
    def answered(request):
        if request.method != "GET":
            return answer(request)
        with zeal_context():
            return answer(request)

    return answered
