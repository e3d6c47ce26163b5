"""Adds a person with a role, and limits them to some brands if asked."""

import getpass
import secrets
import sys
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from pipeline.models import Brand
from pipeline.people import ROLES, assign, limit_to


class Command(BaseCommand):
    help = (
        "Add a person with a role. Asks for the password. Without a terminal, or if it is left empty, a password is made up and"
        " shown once; the person can change it in the account menu."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the name to sign in with")
        parser.add_argument("--role", required=True, choices=[role.name for role in ROLES])
        parser.add_argument("--brand", action="append", default=[], metavar="SLUG", help="only this brand; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model()(username=options["name"])
        brands = [self.brand(slug) for slug in options["brand"]]
        try:
            user.full_clean(exclude=["password"])
        except ValidationError as error:
            raise CommandError(f"Not added: {' '.join(error.messages)} Change people in the admin.", returncode=2) from error
        chosen = self.ask(user) if sys.stdin.isatty() else ""
        password = chosen or secrets.token_urlsafe(12)
        with transaction.atomic():
            user.set_password(password)
            user.save()
            assign(user, options["role"])
            if brands:
                limit_to(user, brands)
        where = ", ".join(map(str, brands)) if brands else "every brand"
        self.stdout.write(f"Added {user.get_username()}, {options['role']}, for {where}.")
        if not chosen:
            self.stdout.write(f"Password, shown only now: {password}")

    def brand(self, slug: str) -> Brand:
        found = Brand.objects.filter(slug=slug).first()
        if found is None:
            known = ", ".join(Brand.objects.values_list("slug", flat=True)[:20])
            raise CommandError(f"Not added: there is no brand {slug!r}. Known: {known or 'none'}.", returncode=2)
        return found

    def ask(self, user: Any) -> str:
        """The typed password; '' if one is to be made up."""
        while password := getpass.getpass("Password (empty: make one up): "):
            if password != getpass.getpass("Again: "):
                self.stderr.write("The two differ.")
                continue
            try:
                validate_password(password, user)
            except ValidationError as error:
                self.stderr.write(" ".join(error.messages))
                continue
            return password
        return ""
