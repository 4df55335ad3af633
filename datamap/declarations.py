"""The words in which each app's `datamap.py` says what it holds: whose, why, on what basis, for how long.

A declaration never changes the model it speaks of; readers (check, data map, packages, retention, erasure)
walk
`registry`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Self

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

SELF = "self"
"""Subject path of the model that is the person itself."""

PERSONS: dict[str, Any] = {
    "customer": _("Customer"),
    "contact": _("Contact person of a company"),
    "recipient": _("Recipient of a gift or delivery"),
    "staff": _("Staff"),
    "third": _("Third person"),
    "nobody": _("Nobody by name (keyed fingerprint only)"),
}


class Basis(Enum):
    """Legal bases of the GDPR on which the shop holds data: value = article, label = everyday words."""

    CONSENT = ("6(1)(a)", _("Consent"))
    CONTRACT = ("6(1)(b)", _("Contract or steps before it"))
    LEGAL_OBLIGATION = ("6(1)(c)", _("Legal obligation"))
    VITAL_INTERESTS = ("6(1)(d)", _("Vital interests"))
    PUBLIC_TASK = ("6(1)(e)", _("Public task"))
    LEGITIMATE_INTERESTS = ("6(1)(f)", _("Legitimate interests"))
    CONSENT_PROOF = ("7(1)", _("Proof of consent"))
    AS_SOURCE = ("as source", _("As the data it comes from"))

    def __new__(cls, article: str, label: Any) -> Self:
        # The value is the article alone: Enum hashes values, and hashing a lazy text would translate it at
        # import.
        member = object.__new__(cls)
        member._value_ = article
        member.label = label
        return member

    label: Any

    @property
    def article(self) -> str:
        """The paragraph and letter, `6(1)(b)`."""
        return self.value

    @property
    def citation(self) -> str:
        """The article as it is cited, `Art. 6(1)(b) GDPR`."""
        return str(self.label) if self is Basis.AS_SOURCE else f"Art. {self.article} GDPR"


class By:
    """A choice by the value of a field: `By("kind", invoice="INV", default="LETTER")`.

    `field` may be a path (`order.kind`); values that are no Python names go into a mapping:
    `By("kind", {"e-mail": "LETTER"})`. For a boolean field the keys are "True" and "False".
    """

    def __init__(
        self,
        field: str,
        mapping: Mapping[str, Any] | None = None,
        *,
        default: Any = None,
        **choices: Any,
    ) -> None:
        self.field = orm_path(field)
        self.choices: dict[str, Any] = {str(key): value for key, value in {**(mapping or {}), **choices}.items()}
        self.default = default

    def __repr__(self) -> str:
        return f"By({self.field!r}, {self.choices!r}, default={self.default!r})"

    def resolve(self, value: object) -> Any:
        """What is meant for a row whose field has this value."""
        return self.choices.get(str(value), self.default)

    @property
    def outcomes(self) -> list[Any]:
        """Every possible answer once, in order."""
        answers = [
            *self.choices.values(),
            *([self.default] if self.default is not None else []),
        ]
        return list(dict.fromkeys(answers))


@dataclass(frozen=True)
class Number:
    """A subject known only by a number column (a lower app's row has no foreign key to the person).

    `of` names the person's attribute that the column holds: the customer number, or "pk" for a user id.
    """

    column: str
    of: str = "number"


Paths = str | tuple[str, ...] | None


@dataclass(frozen=True)
class Group:
    """Fields of one model that share person, purpose, basis and period.

    subject: ORM path to the person, "self", a tuple of paths (the first that is set), `Number(column)`,
      or None where the row names nobody any more (HMACs, figures).
    category: key of the retention catalogue, or `By` a field's value.
    start: path of the date or instant the period counts from, a tuple (the first that is set), or `By`.
      None only where nothing in the row can start it: open or immediate categories, rows of nobody, staff
      (their account's closing).
    provided: True where the person gave or caused the data under consent or contract (Art. 20).
    provided_where: lookups that choose among the rows those that the person gave, where others gave the rest.
    source: where the data comes from when not from the person (Art. 15(1)(g)).
    recipients: who may get these data, as `datamap.receivers.Receiver` (Art. 13(1)(e), 30(1)(d)).
    handed_over: path of the instant at which those of `always_told` get a row's data without anyone noting it
      (goods are sent, a mail is sent); None where nothing of the kind happens.
    always_told: the recipients whom `handed_over` speaks of; all of `recipients` unless given.
    unsettled: field -> value of rows about which a person has still to decide: nothing has started their period yet,
      whatever `start` holds. `relation__isnull: False` bounds that by a row that points here and has a last day itself.
    begun_by_end: where nothing has started the period of a row yet, the end of its person does (a consent that stands
      is withdrawn by a request for erasure).
    anonymize: field -> value (or ORM expression) to set when the group ends in anonymizing; what is not
      named stays, so name everything that leads to the person.
    """

    fields: tuple[str, ...]
    subject: str | tuple[str, ...] | Number | None
    category: str | By
    start: str | tuple[str, ...] | By | None
    purpose: Any
    basis: Basis | tuple[Basis, ...]
    provided: bool = False
    provided_where: Mapping[str, Any] = field(default_factory=dict)
    source: Any = None
    person: str = "customer"
    recipients: tuple[Any, ...] = ()
    handed_over: str | None = None
    always_told: tuple[Any, ...] = ()
    note: Any = ""
    unsettled: Mapping[str, Any] = field(default_factory=dict)
    begun_by_end: bool = False
    anonymize: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.fields, str):
            raise ImproperlyConfigured("fields of a Group is a tuple of names: a comma is missing.")
        object.__setattr__(self, "fields", tuple(self.fields))

    @property
    def bases(self) -> tuple[Basis, ...]:
        """The legal bases as a tuple, also where only one is given."""
        return self.basis if isinstance(self.basis, tuple) else (self.basis,)

    @property
    def standing_recipients(self) -> tuple[Any, ...]:
        """Who gets each row of this group by what the shop does every day, without an entry in a list."""
        return (self.always_told or self.recipients) if self.handed_over else ()

    @property
    def subject_paths(self) -> tuple[str, ...]:
        """ORM paths to the person; the first that is set counts. "pk" is the row itself; empty for `Number`
        and None."""
        if isinstance(self.subject, Number):
            return ()
        return tuple("pk" if path in (SELF, "pk", "id") else path for path in as_paths(self.subject))

    @property
    def categories(self) -> list[str]:
        """Every catalogue key a row of this group can fall under."""
        return self.category.outcomes if isinstance(self.category, By) else [self.category]

    @property
    def starts(self) -> list[tuple[str, ...]]:
        """Every start this group can count from, each as a tuple of paths of which the first that is set
        counts."""
        starts = self.start.outcomes if isinstance(self.start, By) else [self.start]
        return [as_paths(start) for start in starts if start]


class PersonalData:
    """Base of a declaration; subclasses are registered with `@register(Model)`.

    groups: the personal data, see `Group`.
    plain: fields without personal data. Primary keys, the relation a subject path starts with, `parent` and
      `subject_ref` are structural and need no mention; a blind index follows the field it is made from.
    parent: relation to the row this one lives and dies with (a line of an order); such rows are not counted
      by themselves in a run. Several levels chain by their own `parent`.
    subject_ref: column that carries the erasure's opaque mark once a row is blocked; None where a row of
      this model is never blocked.
    apart: column that, where it is filled, names somebody else whom the row is about than the person in whose file it
      lies; it is in no copy for that person.
    cut: relations that are emptied when the row (or its parent) is blocked: what they lead to stays for another
      purpose and would say whose the row was.
    files: fields (file fields or names of stored files) whose files go with the row.
    copies: paths of a category or a start, and where the database keeps a copy of each beside what it is asked for
      together with, so that one index finds the rows that are due. Rows are found by the copy and judged by the path.
    told: what a letter to the person calls such rows, where the name of the model says nothing to them; empty where
      they only repeat what others hold, and go without saying.
    """

    groups: ClassVar[list[Group]] = []
    plain: ClassVar[tuple[str, ...]] = ()
    parent: ClassVar[str | None] = None
    subject_ref: ClassVar[str | None] = None
    apart: ClassVar[str | None] = None
    cut: ClassVar[tuple[str, ...]] = ()
    files: ClassVar[tuple[str, ...]] = ()
    copies: ClassVar[dict[str, str]] = {}
    told: ClassVar[Any] = None

    label: ClassVar[str] = ""
    """`app_label.Model`, set by the registry."""

    @classmethod
    def group_of(cls, name: str) -> Group | None:
        """The group that holds this field."""
        return next((group for group in cls.groups if name in group.fields), None)


@dataclass(frozen=True)
class Exemption:
    """The reason why a model holds no personal data."""

    label: str
    reason: Any


@dataclass(frozen=True)
class Store:
    """A place outside the models that holds personal data: files, spools, caches, task results, the journal.

    describe() -> a sentence or figures for the data map; the others are filled by what the store can do:
    export(subject) yields (name, bytes), erase(subject) and expire(before) answer how many items went.
    """

    key: str
    label: Any
    purpose: Any
    basis: Basis | tuple[Basis, ...]
    category: str
    person: str = "customer"
    describe: Callable[[], Any] | None = None
    export: Callable[..., Any] | None = None
    erase: Callable[..., Any] | None = None
    expire: Callable[..., Any] | None = None
    sealed: bool = False
    note: Any = ""

    @property
    def bases(self) -> tuple[Basis, ...]:
        """The legal bases as a tuple, also where only one is given."""
        return self.basis if isinstance(self.basis, tuple) else (self.basis,)


def orm_path(path: str) -> str:
    """`order.invoiced_at` and `order__invoiced_at` are the same path."""
    return path.replace(".", "__")


def as_paths(paths: Paths) -> tuple[str, ...]:
    """One path, several or none as a tuple of ORM paths."""
    if not paths:
        return ()
    return tuple(orm_path(path) for path in ((paths,) if isinstance(paths, str) else paths))


def label_of(model: Any) -> str:
    """`app_label.Model` of a model class or of the label itself."""
    return model if isinstance(model, str) else model._meta.label


def history_base(model: Any) -> Any:
    """The model whose history this table keeps, or None: history inherits the declaration of its model."""
    # django-simple-history sets `instance_type` on the tables it makes and nowhere else.
    return getattr(model, "instance_type", None)


class Registry:
    """All declarations of the house by model label; filled at start, read by everyone."""

    def __init__(self) -> None:
        self._declared: dict[str, type[PersonalData]] = {}
        self._exempt: dict[str, Exemption] = {}
        self._stores: dict[str, Store] = {}

    def register(self, model: Any, declaration: type[PersonalData]) -> None:
        """Take a declaration; a model declared twice, or declared and exempt, fails at start."""
        label = label_of(model)
        self._refuse_twice(label)
        declaration.label = label
        self._declared[label.lower()] = declaration

    def exempt(self, model: Any, reason: Any) -> None:
        """Note that a model holds no personal data and why."""
        label = label_of(model)
        if not reason:
            raise ImproperlyConfigured(f"exempt({label}) needs a reason.")
        self._refuse_twice(label)
        self._exempt[label.lower()] = Exemption(label, reason)

    def add_store(self, store: Store) -> None:
        """Take a store that is no model."""
        if store.key in self._stores:
            raise ImproperlyConfigured(f"The store {store.key} is registered twice.")
        self._stores[store.key] = store

    def declaration_for(self, model: Any) -> type[PersonalData] | None:
        """The declaration of a model (class or label); a history table answers with its model's."""
        found = self._declared.get(label_of(model).lower())
        if found is None and not isinstance(model, str) and (base := history_base(model)) is not None:
            return self.declaration_for(base)
        return found

    def exemption_for(self, model: Any) -> Exemption | None:
        """The exemption of a model (class or label); a history table answers with its model's."""
        found = self._exempt.get(label_of(model).lower())
        if found is None and not isinstance(model, str) and (base := history_base(model)) is not None:
            return self.exemption_for(base)
        return found

    def declarations(self) -> list[type[PersonalData]]:
        """All declarations by label."""
        return [self._declared[label] for label in sorted(self._declared)]

    def exemptions(self) -> list[Exemption]:
        """All exemptions by label."""
        return [self._exempt[label] for label in sorted(self._exempt)]

    def stores(self) -> list[Store]:
        """All stores that are no models, by key."""
        return [self._stores[key] for key in sorted(self._stores)]

    def __iter__(self) -> Iterator[tuple[type[PersonalData], Group]]:
        """Every group of every declaration."""
        for declaration in self.declarations():
            for group in declaration.groups:
                yield declaration, group

    @contextmanager
    def registered_temporarily(self) -> Iterator["Registry"]:
        """For tests: whatever is registered or exempted inside is forgotten afterwards."""
        before = (dict(self._declared), dict(self._exempt), dict(self._stores))
        try:
            yield self
        finally:
            self._declared, self._exempt, self._stores = before

    def _refuse_twice(self, label: str) -> None:
        if label.lower() in self._declared or label.lower() in self._exempt:
            raise ImproperlyConfigured(f"{label} is declared or exempted twice.")


registry = Registry()


def register(*models: Any) -> Callable[[type[PersonalData]], type[PersonalData]]:
    """Class decorator: this is the declaration of the model (a class or "app_label.Model")."""

    def decorate(declaration: type[PersonalData]) -> type[PersonalData]:
        for model in models:
            target = declaration if len(models) == 1 else type(declaration.__name__, (declaration,), {})
            registry.register(model, target)
        return declaration

    return decorate


register_for = register
"""The same for third-party models named by label."""


def exempt(model: Any, reason: Any) -> None:
    """This model holds no personal data; the reason is shown on the data map."""
    registry.exempt(model, reason)


def register_store(key: str, label: Any, purpose: Any, basis: Basis, category: str, **kw: Any) -> None:
    """Declare a store that is no model (files, mail spool, caches, task results, journal), see `Store`."""
    registry.add_store(Store(key, label, purpose, basis, category, **kw))
