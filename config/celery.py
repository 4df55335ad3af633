"""The Celery application that `celery -A config` starts; tasks live in each app's tasks.py."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Every task asks first whether this database may be worked with.
app = Celery("obhut", task_cls="datamap.guardedtask:GuardedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
