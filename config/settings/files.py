"""What lies outside the database: keys, journal, backups, files, and how much of it may come in or go out at once."""

from config.settings.environment import BASE_DIR, DEBUG, VAR_DIR, env

VAULT_KEYS = env.str("VAULT_KEYS", default="")
VAULT_KEY_FILE = env.str("VAULT_KEY_FILE", default="")
SEALED_ROOT = env.str("SEALED_ROOT", default=str(VAR_DIR / "sealed"))  # sealed files, outside any web root

# Outside the database and its backups: file:///folder on one host, postgres://... of another cluster on several.
JOURNAL_URL = env.str("JOURNAL_URL", default=(VAR_DIR.resolve() / "journal").as_uri() if DEBUG else "")
JOURNAL_RECHECK_SECONDS = 10
# Signed marks of how far the ledger of consents reaches: outside the database and its backups.
CHECKPOINT_FILE = env.str("CHECKPOINT_FILE", default=str(VAR_DIR / "checkpoints.txt"))
BACKUP_DIR = env.str("BACKUP_DIR", default=str(VAR_DIR / "backups"))

STATIC_URL = "static/"
STATIC_ROOT = None if DEBUG else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_BACKEND = "django.contrib.staticfiles.storage.StaticFilesStorage"
MANIFEST_BACKEND = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": STATIC_BACKEND if DEBUG else MANIFEST_BACKEND},
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(VAR_DIR / "media"))
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "config.uploads.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "config.uploads.SealedUpload",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # files of a form are not counted
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 10
INTAKE_MAX_BYTES = env.int("INTAKE_MAX_BYTES", default=2 * 1024**3)
ATTACHMENT_MAX_BYTES = env.int("ATTACHMENT_MAX_BYTES", default=10 * 1024 * 1024)
EXPORT_CAP = env.int("EXPORT_CAP", default=5000)  # rows of a list that one export may take out
