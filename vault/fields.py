"""Model fields whose values lie sealed in the database, and the blind indexes that find them."""

import datetime
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NoReturn

from django.core.exceptions import FieldError, ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from vault.keyring import HASH_BYTES, KeyRing, keyring
from vault.lookups import BlindExact, BlindIn, OnlyNone

Normalizer = Callable[[Any], str | None]


class Saved:
    """A value that comes from `pre_save`: its blind indexes are written by the same statement."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class _Labelled(models.Field):
    """The label "<app>.<model>.<field>" that binds a value to its field.

    It is that of the model which first owned the field: a copy in a history table opens what the
    original sealed. Migrations carry it for such copies; give `label=` to keep it over a renaming.
    """

    non_db_attrs = (*models.Field.non_db_attrs, "label")
    _label: str | None = None
    _bound: tuple[KeyRing, Any, Any] | None = None

    def contribute_to_class(  # type: ignore[override]  # DateField takes no further positional arguments
        self, cls: type[models.Model], name: str, **kwargs: Any
    ) -> None:
        super().contribute_to_class(cls, name, **kwargs)
        self.__dict__.pop("dependants", None)
        if self._label is None and not cls._meta.abstract:
            self._label = f"{cls._meta.label_lower}.{name}"

    @property
    def label(self) -> str:
        """What the authenticated data, or the derived hash key, of this field is bound to."""
        if self._label is None:
            raise FieldError(f"The field {self.name or '?'} belongs to no model yet and has no label.")
        return self._label

    def _kept_label(self) -> dict[str, str]:
        """The label for `deconstruct`, where a bare field would not come to it by itself."""
        model = getattr(self, "model", None)
        own = f"{model._meta.label_lower}.{self.name}" if model else None
        return {"label": self._label} if self._label and self._label != own else {}

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "bytea"

    def get_internal_type(self) -> str:
        return "BinaryField"


class SealedField(_Labelled):
    """What the sealed fields share; each subclass says how its value becomes bytes.

    A source of blind indexes refuses `update()`, `bulk_update()` and `save(update_fields=...)` without
    them. Two ways nobody can watch must name the indexes themselves: `update_fields` of
    `bulk_create(update_conflicts=True)`, and SQL. `update(a=F("b"))` copies a ciphertext bound to b.
    """

    def __init__(self, *args: Any, label: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._label = label

    def _encode(self, value: Any) -> bytes:
        raise NotImplementedError("A sealed field says how its value becomes bytes.")

    def _decode(self, data: bytes) -> Any:
        raise NotImplementedError("A sealed field says how bytes become its value.")

    def _bind(self, ring: KeyRing) -> tuple[KeyRing, Any, Any]:
        self._bound = ring, ring.sealer(self.label), ring.opener(self.label)
        return self._bound

    def seal(self, value: Any) -> bytes | None:
        """The ciphertext of a value, for COPY and other bulk ways; None stays None."""
        if value is None:
            return None
        ring, bound = keyring(), self._bound
        if bound is None or bound[0] is not ring:
            bound = self._bind(ring)
        return bound[1](self._encode(value))

    def open(self, sealed: bytes | None) -> Any:
        """The value of a ciphertext of this field. Raises vault.keyring.SealError."""
        if sealed is None:
            return None
        ring, bound = keyring(), self._bound
        if bound is None or bound[0] is not ring:
            bound = self._bind(ring)
        return self._decode(bound[2](sealed))

    def open_all(self, sealed: Sequence[bytes | None]) -> list[Any]:
        """The values of many ciphertexts of this field. Raises vault.keyring.SealError."""
        decode = self._decode
        return [None if data is None else decode(data) for data in keyring().open_all(self.label, sealed)]

    @cached_property
    def dependants(self) -> list["BlindIndexField"]:
        """The blind indexes computed from this field."""
        fields = self.model._meta.concrete_fields
        return [f for f in fields if isinstance(f, BlindIndexField) and f.source == self.name]

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | self._kept_label()

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        return self.open(None if value is None else bytes(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        if self.dependants and not hasattr(value, "as_sql"):
            return Saved(value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        return value

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if isinstance(value, Saved):
            value = value.value
        if hasattr(value, "as_sql"):
            return value
        return self.seal(self.to_python(value))

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        if self.dependants and not isinstance(value, Saved):
            names = ", ".join(field.name for field in self.dependants)
            raise FieldError(
                f"{self.model._meta.label}.{self.name} has blind indexes ({names}), which update() and "
                "bulk_update() do not recompute: use save(), or update(**vault.fields.with_indexes(...))."
            )
        return self.get_db_prep_value(value, connection)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        return OnlyNone if lookup_name == "exact" else self._refuse(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        self._refuse(lookup_name)

    def _refuse(self, lookup_name: str) -> NoReturn:
        raise FieldError(
            f"The sealed field {self.name} cannot be searched with {lookup_name}: "
            "the database sees only ciphertext. Search its blind index, or ask isnull."
        )


class SealedTextField(SealedField, models.TextField):
    """Text, sealed. With `max_length` it is validated to that length."""

    description = _("Sealed text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.max_length is not None:
            self.validators.append(MaxLengthValidator(self.max_length))

    def to_python(self, value: Any) -> Any:
        if isinstance(value, (bytes, memoryview)):
            raise ValidationError(_("Text is expected here, not bytes."), code="invalid")
        return super().to_python(value)

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if value is not None:
            self._encode(value)

    def _encode(self, value: Any) -> bytes:
        if "\0" in value:
            raise ValidationError(_("Null characters are not allowed."), code="null_characters_not_allowed")
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise ValidationError(_("This text contains a broken character."), code="invalid") from None

    def _decode(self, data: bytes) -> str:
        return data.decode()

    def open_all(self, sealed: Sequence[bytes | None]) -> list[Any]:
        """As of any field."""
        return [None if data is None else data.decode() for data in keyring().open_all(self.label, sealed)]


class SealedDateField(SealedField, models.DateField):
    """A date, sealed."""

    description = _("Sealed date")

    def _encode(self, value: datetime.date) -> bytes:
        return value.isoformat().encode()

    def _decode(self, data: bytes) -> datetime.date:
        return datetime.date.fromisoformat(data.decode())


class SealedJSONField(SealedField, models.JSONField):
    """A JSON value, sealed; None is NULL."""

    description = _("Sealed JSON")

    def _encode(self, value: Any) -> bytes:
        return json.dumps(value, cls=self.encoder, separators=(",", ":")).encode()

    def _decode(self, data: bytes) -> Any:
        return json.loads(data, cls=self.decoder)

    def open_all(self, sealed: Sequence[bytes | None]) -> list[Any]:
        """As of any field; what is equal is one value, which is not to be changed."""
        opened = keyring().open_all(self.label, sealed)
        values = {data: self._decode(data) for data in {*opened} if data is not None}
        return [None if data is None else values[data] for data in opened]


class BlindIndexField(_Labelled):
    """The keyed hash of a normalised value, by which a sealed field is found by its whole value.

    `source` names the sealed field; `normalizer` (a module-level function or its dotted path) gives
    the text to hash, or None or "" for no index. Recomputed whenever the row is saved.
    """

    description = _("Blind index")

    def __init__(
        self,
        *args: Any,
        source: str = "",
        normalizer: str | Normalizer = "",
        label: str | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs = {"null": True, "blank": True, **kwargs, "editable": False, "serialize": False}
        super().__init__(*args, **kwargs)
        self._label = label
        self.source = source
        self.normalizer = normalizer if isinstance(normalizer, str) else _dotted(normalizer)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("editable", "serialize"):
            kwargs.pop(fixed, None)
        kwargs |= {"source": self.source, "normalizer": self.normalizer}
        return name, path, args, kwargs | self._kept_label()

    @cached_property
    def normalize(self) -> Normalizer:
        """The function that brings equal values to equal texts."""
        return import_string(self.normalizer)

    def blind(self, raw_value: Any, key_id: int | None = None) -> bytes | None:
        """The index of a raw value of the source, 32 bytes; None where nothing is to be found."""
        text = None if raw_value is None else self.normalize(raw_value)
        if not text:
            return None
        if key_id is not None:
            return keyring().blinder(self.label, key_id)(text)
        ring, bound = keyring(), self._bound
        if bound is None or bound[0] is not ring:
            bound = self._bound = ring, ring.blinder(self.label), None
        return bound[1](text)

    def candidates(self, raw_value: Any) -> list[bytes]:
        """What a row with this value may hold: one hash for each index key loaded."""
        if isinstance(raw_value, (bytes, memoryview)) and len(raw_value) == HASH_BYTES:
            return [bytes(raw_value)]
        keys = keyring().of_kind("index")
        hashes = [self.blind(raw_value, key.id if len(keys) > 1 else None) for key in keys]
        return [h for h in hashes if h]

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        return None if value is None else bytes(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        index = self.blind(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, index)
        return index

    def get_prep_value(self, value: Any) -> Any:
        return self.blind(value) if isinstance(value, str) else value

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        try:
            return {"exact": BlindExact, "in": BlindIn}[lookup_name]
        except KeyError:
            raise FieldError(
                f"The blind index {self.name} finds whole values only (exact, in), not {lookup_name}."
            ) from None


def _dotted(function: Normalizer) -> str:
    path = f"{function.__module__}.{function.__qualname__}"
    if "<" in path:
        raise ValueError("The normalizer of a blind index must be a module-level function.")
    return path


def with_indexes(model: type[models.Model], **values: Any) -> dict[str, Any]:
    """Keyword arguments for `update()` that change sealed fields together with their blind indexes."""
    result: dict[str, Any] = {}
    for name, value in values.items():
        field = model._meta.get_field(name)
        dependants = getattr(field, "dependants", [])
        result |= {index.name: index.blind(value) for index in dependants}
        result[name] = Saved(value) if dependants else value
    return result
