"""How sealed fields and blind indexes may be asked for in a query."""

from typing import Any

from django.core.exceptions import EmptyResultSet, FieldError
from django.db.models.lookups import Exact, Lookup
from django.db.models.sql.compiler import SQLCompiler


class OnlyNone(Exact):
    """`sealed=None` means isnull; no other value can be compared with a ciphertext."""

    def get_prep_lookup(self) -> Any:
        if self.rhs is not None:
            raise FieldError(
                f"The sealed field {self.lhs.output_field.name} cannot be searched: "
                "two ciphertexts of one value differ. Search its blind index, or ask isnull."
            )
        return None


class BlindIn(Lookup):
    """`index__in=[...]`: raw values are normalised and hashed, 32-byte hashes taken as they are."""

    lookup_name = "in"

    def get_prep_lookup(self) -> Any:
        if hasattr(self.rhs, "resolve_expression"):
            return self.rhs
        field = self.lhs.output_field
        return tuple(h for value in self._values() if value is not None for h in field.candidates(value))

    def _values(self) -> Any:
        return self.rhs

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        lhs, params = self.process_lhs(compiler, connection)
        if not self.rhs_is_direct_value():
            rhs, rhs_params = self.process_rhs(compiler, connection)
            return f"{lhs} {self.operator} {rhs}", [*params, *rhs_params]
        if not self.rhs:
            raise EmptyResultSet  # normalised to nothing: such a value is found nowhere
        if len(self.rhs) == 1:
            return f"{lhs} = %s", [*params, self.rhs[0]]
        return f"{lhs} = ANY(%s)", [*params, list(self.rhs)]

    operator = "IN"


class BlindExact(BlindIn):
    """`index="value"`, also found under an older index key while a rotation runs."""

    lookup_name = "exact"
    operator = "="

    def get_prep_lookup(self) -> Any:
        return None if self.rhs is None else super().get_prep_lookup()

    def _values(self) -> Any:
        return [self.rhs]
