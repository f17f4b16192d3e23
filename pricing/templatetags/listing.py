"""The controls of a list whose state lives in the address: sort, filters, pages."""

from collections.abc import Iterable

from django import template
from django.template import RequestContext
from django.template.defaulttags import querystring
from django.utils.html import format_html
from django.utils.safestring import SafeString

from pricing.pages.queries import ListQuery
from pricing.pages.queries.groups import main_format as first_word
from pricing.pages.tables.collection import DEFAULT_SORT

register = template.Library()
register.filter("main_format", first_word)

# The choices of the sort control, the default first; where a column has a better direction, that is the first one.
SORT_WORDS = {
    "-price": "Price, highest first",
    "price": "Price, lowest first",
    "-change": "3 months, best first",
    "change": "3 months, worst first",
    "title": "Title, A to Z",
    "-title": "Title, Z to A",
    "artist": "Artist, A to Z",
    "-artist": "Artist, Z to A",
    "format": "Format, A to Z",
    "-format": "Format, Z to A",
    "year": "Year, oldest first",
    "-year": "Year, newest first",
    "-grade": "Grade, best first",
    "grade": "Grade, worst first",
    "sale": "For sale, fewest first",
    "-sale": "For sale, most first",
    "-want": "Want, most first",
    "want": "Want, fewest first",
    "-checked": "Checked, newest first",
    "checked": "Checked, oldest first",
    "-added": "Added, newest first",
    "added": "Added, oldest first",
}


@register.simple_tag(takes_context=True)
def sort_link(context: RequestContext, label: str, first: str) -> SafeString:
    """A column's link: `first` is the most useful direction, a second click reverses it."""
    view: ListQuery = context["view"]
    current, name = view.sort, first.removeprefix("-")
    if current.removeprefix("-") != name:
        address = querystring(context, view.parameters, sort=first)
        return format_html('<a href="{}">{}</a>', address, label)
    is_descending = current.startswith("-")
    other = name if is_descending else f"-{name}"
    arrow = "▾" if is_descending else "▴"
    address = querystring(context, view.parameters, sort=other)
    return format_html('<a href="{}">{}<span aria-hidden="true"> {}</span></a>', address, label, arrow)


@register.simple_tag
def aria_sort(view: ListQuery, names: str) -> SafeString | str:
    """The aria-sort attribute for the header cell of the sorted column."""
    if view.sort.removeprefix("-") not in names.split():
        return ""
    return format_html('aria-sort="{}"', "descending" if view.sort.startswith("-") else "ascending")


@register.inclusion_tag("pages/_sort.html")
def sort_select(view: ListQuery) -> dict[str, object]:
    """The sort as a control, for screens without room for a row of headings. The default stays out of the address."""
    options = [("" if sort == DEFAULT_SORT else sort, words) for sort, words in SORT_WORDS.items()]
    return {"view": view, "options": options, "current": "" if view.is_default_sort else view.sort}


@register.inclusion_tag("pages/_select.html")
def filter_select(
    name: str, label: str, options: Iterable[str | tuple[str, str]], current: str
) -> dict[str, object]:
    """A filter. A value of the address that is not among the options is added, so that the control matches the list."""
    pairs = [option if isinstance(option, tuple) else (option, option) for option in options]
    if current and current not in dict(pairs):
        pairs.append((current, current))
    return {"name": name, "label": label, "options": pairs, "current": current}
