"""An ad account in templates: {% badge account|token_badge %}."""

from django import template

from competitors.views.brands.tokens import token_badge

register = template.Library()
register.filter("token_badge", token_badge)
