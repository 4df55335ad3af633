"""What beat wakes exists, and every task it names is one that a worker knows."""

from django.conf import settings

from config.celery import app


def test_every_scheduled_task_is_known_to_the_worker() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled
    assert scheduled <= set(app.tasks)


def test_a_killed_workers_task_comes_back() -> None:
    options = app.conf.broker_transport_options
    assert options["unacked_restore_throttle"] == 1
    assert options["visibility_timeout"] == 900
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.accept_content == ["json"]
