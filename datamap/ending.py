"""Stories that end rows of a model when their period is over, where deleting the rows is not the whole of it.

An app whose rows leave something behind (the counts of an import, a report on dropped claims) tells its story here; the
retention run calls it with the keys of due rows instead of deleting them itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ImproperlyConfigured

End = Callable[[list[Any]], Any]

_stories: dict[str, tuple[End, str]] = {}


def register_ending(model: str, end: End, *, still: str = "true") -> None:
    """Have due rows of `app_label.Model` ended by `end(keys)`, inside the transaction of the batch.

    `still` is SQL over the row `r` that tells a row that has not ended yet, where ended rows stay.
    """
    if _stories.setdefault(model, (end, still))[0] is not end:
        raise ImproperlyConfigured(f"The ending of {model} is registered twice.")


def ending_of(model: str) -> tuple[End, str] | None:
    """The story of a model and the SQL that tells rows which have not ended, or None."""
    return _stories.get(model)


@contextmanager
def registered_temporarily() -> Iterator[None]:
    """For tests: whatever is registered inside is forgotten afterwards."""
    before = dict(_stories)
    try:
        yield
    finally:
        _stories.clear()
        _stories.update(before)
