"""Who gets in where: every address and action, for every role, on an own, a foreign and no brand, by GET and POST.

The addresses come from the URL map, the actions from the admin. One without a row in the tables below fails a test.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from competitors.models import (
    AdAccount,
    AdMedia,
    BrandSubreddit,
    Competitor,
    CompetitorAdLibrary,
    CompetitorAmazonUrl,
    Persona,
    RedditResearch,
    TemplateDecision,
)
from pipeline.models import Brand, ConcurrencyLimit, Job, Pause, Run
from pipeline.people import ROLES, limit_to
from pipeline.views.manager.history.one_run import ACTIONS
from tests.controlplane.doors import (
    ADMIN_ACTIONS,
    ANYBODY,
    EDITABLE,
    NEVER,
    NO_LIMIT,
    OF_NO_BRAND,
    OF_ROWS,
    OPEN,
    PAGES,
    RUN_ACTIONS,
)
from tests.controlplane.world import World, betrays, build
from tests.factories import make_person, make_user

# Permissions are the same on both databases, and these are thousands of requests.
pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite"), pytest.mark.slow]
ROLE_NAMES = [role.name for role in ROLES]
RANK = {"nobody": -1} | {name: number for number, name in enumerate(ROLE_NAMES)}
PEOPLE = [("nobody", False), *product(ROLE_NAMES, [False, True])]  # role, limited to the own brand
METHODS = ("get", "post")
ROWS_OF_BRANDS = {  # by the first word of the address: what `pk` means there, if not a listing
    "ads": CompetitorAdLibrary,
    "research": AdAccount,
    "reddit": RedditResearch,
    "persona": Persona,
    "performance": AdAccount,
    "brand": BrandSubreddit,
}
PEOPLES = (User, Group)  # only for admins without a limit
MODELS = [model for model in admin.site._registry if model not in PEOPLES]
SITE = {
    "index",
    "login",
    "logout",
    "password_change",
    "password_change_done",
    "autocomplete",
    "jsi18n",
    "view_on_site",
    "app_list",
}
OF_MODEL = {"changelist", "add", "history", "delete", "change"}


def addresses(resolver: URLResolver | None = None, names: tuple[str, ...] = (), given: frozenset[str] = frozenset()) -> Any:
    """(namespace and name, parameters) of every address."""
    for one in (resolver or get_resolver()).url_patterns:
        here = given | set(one.pattern.converters)
        if isinstance(one, URLResolver):
            yield from addresses(one, (*names, one.namespace) if one.namespace else names, here)
        elif isinstance(one, URLPattern):
            yield ":".join([*names, one.name or str(one.pattern)]), here


def of_site() -> dict[str, frozenset[str]]:
    return {name: given for name, given in addresses() if not name.startswith("admin")}  # the admin has tests of its own


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Built once, with its people, who are signed in: what a test changes is rolled back."""
    with django_db_blocker.unblock():
        world = build()
        for role, limited in PEOPLE:
            name = f"{role}-{limited}"
            user = make_user(name) if role == "nobody" else make_person(name, role)
            if limited:
                limit_to(user, [world[Brand]["own"]])
            client = Client()
            client.force_login(user)
            world.sessions[role, limited] = client.cookies[settings.SESSION_COOKIE_NAME].value
    yield world
    with django_db_blocker.unblock():
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def people(world: World, db: None) -> dict[tuple[str, bool], Client]:
    clients = {person: Client(raise_request_exception=True) for person in PEOPLE}
    for person, client in clients.items():
        client.cookies[settings.SESSION_COOKIE_NAME] = world.sessions[person]
    return clients


def sees(role: str, limited: bool, kind: str) -> bool:
    """The rule in words of the guide, apart from the code that it tests."""
    return not limited or kind in ("own", "any") or (kind == "none" and RANK[role] >= RANK["manager"])


def state() -> Any:
    rows = Run.objects.order_by("pk").values_list("pk", "status", "due_at", "cancel_requested_at", "verdict")
    jobs = Job.objects.order_by("pk").values_list("pk", "status", "name")
    counts = [model.objects.count() for model in EDITABLE]
    names = [list(model.objects.order_by("pk").values_list("name", "archived_at")) for model in (Brand, Competitor)]
    return list(rows), list(jobs), counts, names


@pytest.fixture
def ask(world: World, db: None) -> Callable[..., tuple[int, str, bool]]:
    """ask(client, method, address, data): status, body, and whether anything changed. Nothing stays."""
    before = state()
    connection.ensure_connection()

    def asked(client: Client, method: str, address: str, data: dict[str, Any] | None = None) -> tuple[int, str, bool]:
        with transaction.atomic():
            written = connection.connection.total_changes
            answer = getattr(client, method)(address, data or {})
            body = b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()
            body += answer.get("Location", "")
            if answer.status_code in (302, 303) and "/login/" not in answer["Location"]:
                follow = client.get(answer["Location"])
                body += follow.content.decode()
            changed = connection.connection.total_changes != written and state() != before  # reading the state takes longer
            transaction.set_rollback(True)
        return answer.status_code, body, changed

    return asked


def check(
    case: str, answer: tuple[int, str, bool], *, allowed: bool, found: bool, role: str, limited: bool, address: str
) -> None:
    status, body, changed = answer
    if not allowed:
        assert status in (403, 404, 405) or "/login/" in body, f"{case}: {status}"
    elif not found:
        assert status == 404, f"{case}: {status}"
    else:
        assert status not in (403, 404, 405), f"{case}: {status}"
    if not (allowed and found):
        assert not changed, f"{case} changed something"
    for kind in ("foreign", "none"):
        if limited and not sees(role, limited, kind):
            told = betrays(kind, body.replace(address, ""))
            assert not told, f"{case} tells of {kind}: {told!r} in …{body[max(body.find(told) - 200, 0) : body.find(told) + 60]}"


def may(role: str, least: str) -> bool:
    return least != NEVER and (least == ANYBODY or RANK[role] >= RANK[least])


def test_every_address_and_action_has_its_row() -> None:
    assert {name for name in of_site() if name != "run_action"} == PAGES.keys()
    assert ACTIONS.keys() == RUN_ACTIONS.keys()
    in_admin = {name.removeprefix("admin:") for name, _ in addresses() if name.startswith("admin:")}
    per_model = {f"{m._meta.app_label}_{m._meta.model_name}_{what}" for m in admin.site._registry for what in OF_MODEL}
    left = {name for name in in_admin - SITE - per_model if not name.startswith(("(?P", "<path"))}
    assert left == {"auth_user_password_change"}
    asked = {name for model in MODELS for name in _actions(model)}
    assert asked == ADMIN_ACTIONS.keys()


def _actions(model: type) -> set[str]:
    registered = admin.site._registry[model]
    return {name if isinstance(name, str) else name.__name__ for name in registered.actions or ()} | {
        "delete_selected" for one in EDITABLE if one is model and EDITABLE[one][2] != NEVER
    }


def _pages_of(name: str, given: frozenset[str], world: World) -> dict[str, str]:
    """By kind, the address of one of its rows."""
    if not given:
        return {"any": reverse(name)}
    found: dict[str, str] = {}
    if name == "template_again":
        return {"none": reverse(name, args=[AdMedia.objects.get(library_ad__isnull=False, status="failed").pk])}
    if name == "freshness_platform":
        return {"none": reverse(name, args=["toys"])}
    if name in ("subject_of_platform", "subject_of_platform_live"):
        return {"none": f"{reverse(name, args=['toy'])}?subject={world[Run]['none'].subject}"}
    if name.startswith(OF_NO_BRAND):
        row = world[TemplateDecision]["none"] if name == "template_undo" else world[OF_ROWS[name]]["none"]
        return {"none": reverse(name, args=[row.batch if name == "template_undo" else row.pk])}
    for kind in ("own", "foreign", "none"):
        listing = world[CompetitorAmazonUrl].get(kind)
        if kind not in world[OF_ROWS.get(name, Run)]:
            continue
        values = {"pk": world[OF_ROWS.get(name, Run)][kind].pk} if "brand" not in given else {}
        if "brand" in given:
            if listing is None:
                continue
            both = {
                "brand": listing.competitor.brand.slug,
                "competitor": listing.competitor_id,
                "url": listing.pk,
                "pk": _row_of(name, kind, world).pk,
                "ad_id": "1",
                "dataset": "toys",
                "job_type": "toy",
            }
            values = {key: both[key] for key in given}
        found[kind] = reverse(name, kwargs=values)
    return found


def _row_of(name: str, kind: str, world: World) -> Any:
    """The row that `pk` in the address of a brand's page names."""
    if name == "research_again":
        return AdMedia.objects.get(brand_ad__ad_account=world[AdAccount][kind])
    return world[ROWS_OF_BRANDS.get(name.partition("_")[0], CompetitorAmazonUrl)][kind]


def cases_of_pages() -> list[tuple[str, str, str]]:
    """(address name, action of a run or '', kind)."""
    rows = []
    for name, given in of_site().items():
        kinds = ("any",) if not given else ("own", "foreign") if "brand" in given else ("own", "foreign", "none")
        rows += [(name, action, kind) for action in (RUN_ACTIONS if name == "run_action" else [""]) for kind in kinds]
    return rows


@pytest.mark.parametrize("name", sorted(of_site()))
def test_a_page_lets_in_who_may_and_tells_nobody_of_other_brands(name: str, world: World, people: Any, ask: Any) -> None:
    for action in RUN_ACTIONS if name == "run_action" else [""]:
        given = of_site()[name] - {"action"}
        least = (NEVER, RUN_ACTIONS[action]) if action else PAGES[name]
        pages = _pages_of("run", given, world) if action else _pages_of(name, given, world)
        for (kind, address), method, ((role, limited), client) in product(pages.items(), METHODS, people.items()):
            there = f"{address}{action}/" if action else address
            wanted = least[METHODS.index(method)]
            allowed = may(role, wanted) and not (limited and (name, method) in NO_LIMIT)
            allowed = allowed and (not name.startswith(OF_NO_BRAND) or sees(role, limited, "none"))
            case = f"{method} {name} {action} of {kind} by {role}{' with a limit' if limited else ''}"
            data = {"name": "New", "amazon_url": "https://www.amazon.com/dp/B0NEW00000", "theme": "dark", "upstream_id": "x"}
            found = sees(role, limited, kind)
            answer = ask(client, method, there, data if method == "post" else None)
            if name == "login" or wanted == NEVER:
                assert not answer[2], case
                continue
            check(case, answer, allowed=allowed, found=found, role=role, limited=limited, address=there)


@pytest.mark.parametrize("name", sorted(set(of_site()) - OPEN))
def test_nobody_gets_in_without_signing_in(name: str, world: World, client: Client, ask: Any) -> None:
    given = of_site()[name] - {"action"}
    for address, method in product(_pages_of("run" if name == "run_action" else name, given, world).values(), METHODS):
        there = f"{address}cancel/" if name == "run_action" else address
        status, body, changed = ask(client, method, there)
        assert "/login/" in body or (name == "logout" and status in (302, 405)) or status == 405, f"{method} {name}"
        assert not changed


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_admin_lets_in_who_may_and_tells_nobody_of_other_brands(model: type, world: World, people: Any, ask: Any) -> None:
    opts = model._meta
    of = f"admin:{opts.app_label}_{opts.model_name}"
    least = dict(zip(("add", "change", "delete"), EDITABLE.get(model, (NEVER,) * 3), strict=True))
    for ((role, limited), client), what, method in product(people.items(), sorted(OF_MODEL), METHODS):
        if role == "viewer" or (role == "operator" and what != "changelist"):
            continue  # neither opens the admin; one address of each model shows it
        kinds = {"any": None} if what in ("changelist", "add") else world[model]
        for kind, row in kinds.items():
            address = reverse(f"{of}_{what}", args=[row.pk] if row else [])
            wanted = least.get(what, "manager") if method == "post" or what in ("add", "delete") else "manager"
            allowed = may(role, wanted) and RANK[role] >= RANK["manager"] and not (limited and model is Brand and what == "add")
            case = f"{method} {of}_{what} of {kind} by {role}{' with a limit' if limited else ''}"
            answer = ask(client, method, address)
            if method == "post" and what in ("changelist", "history"):
                assert not answer[2], case
                continue
            found = sees(role, limited, kind) and not (limited and kind == "none" and model in (ConcurrencyLimit, Pause))
            check(case, answer, allowed=allowed, found=found, role=role, limited=limited, address=address)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_an_action_of_the_admin_reaches_only_the_rows_of_open_brands(model: type, world: World, people: Any, ask: Any) -> None:
    opts = model._meta
    address = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    for action, (kind, row), ((role, limited), client) in product(_actions(model), world[model].items(), people.items()):
        data = {"action": action, "_selected_action": [row.pk], "post": "yes", "confirmed": "yes"}
        _, body, changed = ask(client, "post", address, data)
        case = f"{action} of {kind} {opts.verbose_name} by {role}{' with a limit' if limited else ''}"
        if not may(role, ADMIN_ACTIONS[action]) or not sees(role, limited, kind):
            assert not changed, case
        for hidden in ("foreign", "none"):
            if limited and not sees(role, limited, hidden):
                assert not betrays(hidden, body), f"{case} tells of {hidden}"


@pytest.mark.parametrize("model", PEOPLES, ids=lambda model: model.__name__)
def test_only_an_admin_without_a_limit_manages_people(model: type, people: Any, ask: Any) -> None:
    opts = model._meta
    of = f"admin:{opts.app_label}_{opts.model_name}"
    for ((role, limited), client), what, method in product(people.items(), sorted(OF_MODEL), METHODS):
        row = User.objects.get(username="viewer-False") if model is User else Group.objects.get_or_create(name="press")[0]
        address = reverse(f"{of}_{what}", args=[] if what in ("changelist", "add") else [row.pk])
        status, body, _ = ask(client, method, address)
        inside = status != 403 and "/login/" not in body
        assert inside == (role == "admin" and not limited), f"{method} {of}_{what} by {role}, limited: {limited}: {status}"


def test_no_row_is_found_by_the_admins_redirect_to_its_page(world: World, people: Any, ask: Any) -> None:
    for kind, competitor in world[Competitor].items():
        address = f"/admin/r/{_content_type(Competitor)}/{competitor.pk}/"
        assert ask(people["manager", True], "get", address)[0] == 404, kind


def _content_type(model: type) -> int:
    from django.contrib.contenttypes.models import ContentType

    return ContentType.objects.get_for_model(model).pk


def test_autocomplete_and_choices_offer_open_brands_only(world: World, people: Any) -> None:
    manager = people["manager", True]
    where = {"app_label": "competitors", "model_name": "competitoramazonurl", "field_name": "competitor", "term": ""}
    body = manager.get(reverse("admin:autocomplete"), where).content.decode()
    assert "Ownbrand rival" in body
    assert "Zebrafish" not in body
    foreign = {"competitor": world[Competitor]["foreign"].pk, "amazon_url": "https://www.amazon.com/dp/B0NEW00000"}
    answer = manager.post(reverse("admin:competitors_competitoramazonurl_add"), foreign)
    assert "errorlist" in answer.content.decode()
    assert not CompetitorAmazonUrl.objects.filter(asin="B0NEW00000").exists()


def test_the_size_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    pages = len(cases_of_pages()) * len(METHODS) * len(PEOPLE)
    rows = sum((2 if model in EDITABLE else 3) for model in MODELS)
    in_admin = (len(MODELS) * 2 + rows * 3) * len(METHODS) * len(PEOPLE)
    actions = sum(len(_actions(model)) * 3 for model in MODELS) * len(PEOPLE)
    with capsys.disabled():
        print(f"\naccess: {pages} cases of pages, {in_admin} of the admin, {actions} of its actions")
    assert pages >= 900
