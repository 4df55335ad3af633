"""Where rows came from, as people say it."""

from django import template

from customers.platforms import platform_name

register = template.Library()
register.filter("platform", platform_name)
