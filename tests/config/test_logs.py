"""Log lines hold numbers and ids, never what somebody typed."""

import json
import logging
import sys

from config.logs import JsonFormatter


def _line(message: str, *arguments: object, **more: object) -> dict[str, object]:
    record = logging.getLogger("house").makeRecord(
        "house", logging.WARNING, __file__, 1, message, arguments, None, extra=more or None
    )
    printed = JsonFormatter().format(record)
    assert "\n" not in printed
    assert "\r" not in printed
    return dict(json.loads(printed))


def test_texts_are_left_out_of_a_message_and_numbers_stay() -> None:
    line = _line("%s rows of %s", 12, "anna@example.org")
    assert "12 rows" in str(line["message"])
    assert "anna" not in json.dumps(line)


def test_only_listed_keys_are_kept() -> None:
    line = _line("Import done", batch=7, email="anna@example.org")
    assert line["batch"] == 7
    assert "anna" not in json.dumps(line)


def test_a_value_cannot_fake_a_second_line() -> None:
    line = _line("Import done", profile='plain\r\n{"level": "INFO"}')
    assert line["profile"] == 'plain\r\n{"level": "INFO"}'


def test_an_error_is_logged_by_kind_and_place_without_its_text() -> None:
    try:
        raise ValueError("anna@example.org is not a number")
    except ValueError:
        record = logging.getLogger("house").makeRecord(
            "house", logging.ERROR, __file__, 1, "Failed", (), sys.exc_info()
        )
    line = JsonFormatter().format(record)
    assert "anna" not in line
    assert json.loads(line)["error"] == "ValueError"
    assert any("test_logs.py" in place for place in json.loads(line)["where"])


def test_the_time_is_utc() -> None:
    assert str(_line("now")["at"]).endswith("+00:00")


def test_an_exception_logged_as_the_message_says_its_kind_alone() -> None:
    record = logging.getLogger("house").makeRecord(
        "house", logging.ERROR, __file__, 1, ValueError("anna@example.org"), (), None
    )
    line = json.loads(JsonFormatter().format(record))
    assert line["message"] == "ValueError"
