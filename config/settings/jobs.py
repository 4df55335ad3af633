"""Celery: it only wakes workers; what is to be done stands in PostgreSQL."""

from celery.schedules import crontab

from config.settings.environment import env
from config.settings.servers import EMBEDDED_BROKER, REDIS_URL, VALKEY_SOCKET

CELERY_BROKER_URL = f"redis+socket://{VALKEY_SOCKET}" if EMBEDDED_BROKER else REDIS_URL
# A killed worker's task comes back after this many seconds; kombu looks on every sweep, not on each tenth.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": env.int("CELERY_VISIBILITY_TIMEOUT", default=900),
    "unacked_restore_throttle": 1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "Europe/Berlin"
# A task that finds nothing to do costs a query; what must not be lost is asked for every minute.
CELERY_BEAT_SCHEDULE = {
    "seal-ledger": {"task": "consents.tasks.seal_ledger", "schedule": 60.0},
    "send-receipts": {"task": "consents.tasks.send_receipts", "schedule": crontab(minute="*/10")},
    "send-checkpoint": {"task": "consents.tasks.send_checkpoint", "schedule": crontab(hour="7", minute="5")},
    "sign-ledger": {"task": "consents.tasks.sign_ledger", "schedule": crontab(minute="35")},
    "forget-birthdays": {"task": "consents.tasks.forget_birthdays", "schedule": crontab(hour="2", minute="35")},
    "note-postal-marks": {"task": "customers.tasks.note_postal_marks", "schedule": crontab(minute="*/10")},
    "keep-first-papers": {"task": "privacy.tasks.keep_first_papers", "schedule": crontab(hour="4", minute="50")},
    "prepare-months": {"task": "tracking.tasks.prepare_months", "schedule": crontab(hour="1", minute="40")},
    "cut-devices": {"task": "tracking.tasks.cut_devices", "schedule": crontab(hour="2", minute="25")},
    "resume-batches": {"task": "intake.tasks.resume_batches", "schedule": 60.0},
    "follow-notices": {"task": "privacy.tasks.follow_notices", "schedule": 300.0},
    "resume-packages": {"task": "privacy.packages.tasks.resume_packages", "schedule": 60.0},
    "expire-packages": {"task": "privacy.packages.tasks.expire_packages", "schedule": crontab(minute="15")},
    "expire-import-files": {"task": "intake.tasks.expire_files", "schedule": crontab(hour="2", minute="10")},
    "pulse": {"task": "ops.tasks.pulse", "schedule": 60.0},
    "rotate-backups": {"task": "ops.tasks.rotate_backups", "schedule": crontab(hour="3", minute="10")},
    "keep-journal": {"task": "datamap.tasks.keep_journal", "schedule": crontab(minute="5")},
    "trim-journal": {"task": "datamap.tasks.trim_journal", "schedule": crontab(hour="3", minute="20")},
    "purge": {"task": "privacy.tasks.purge_by_night", "schedule": crontab(hour="3", minute="30")},
    "resume-rights": {"task": "privacy.tasks.resume_rights", "schedule": 60.0},
    "retry-erasures": {"task": "privacy.tasks.retry_erasures", "schedule": crontab(minute="45")},
    "end-sessions": {"task": "staff.tasks.drop_ended_sessions", "schedule": crontab(hour="2", minute="30")},
    "deliver-mail": {"task": "mail.tasks.deliver", "schedule": 60.0},
    "work-off-mail-events": {"task": "mail.tasks.work_off", "schedule": 60.0},
    "drop-orphan-enclosures": {"task": "mail.tasks.drop_orphan_files", "schedule": crontab(hour="2", minute="50")},
    "recount-search-words": {
        "task": "customers.tasks.recount_search_words",
        "schedule": crontab(hour="2", minute="40"),
    },
}
