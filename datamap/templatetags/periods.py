"""Has the texts of pages say the period of the rule of today, where it is not the one they say by themselves."""

from django import template

from datamap.controlling import other_period

register = template.Library()

# {% other_period "DSARPKG" "14d" as period %}: "" under the first version of the catalogue, else "10 days".
register.simple_tag(other_period)
