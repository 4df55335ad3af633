"""Cache values as JSON, so that whoever can write to Redis cannot make the app run code."""

import json
from typing import Any


class JsonSerializer:
    """The serializer of Django's Redis cache: whole numbers stay bare, so that Redis can count with them."""

    def dumps(self, obj: Any) -> bytes | int:
        """The value as Redis stores it."""
        if type(obj) is int:
            return obj
        return json.dumps(obj, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:
        """The value read back; tuples come back as lists."""
        return json.loads(data)
