"""What imports hold about people, why and for how long."""

from django.utils.translation import gettext_lazy as _

from datamap.declarations import Basis, Group, PersonalData, register, register_store
from intake.erasing import forget_in_files
from intake.models import Batch, BatchProblem, SavedMapping

TRANSFER = _("Transfer of data from files")

register_store(
    "intake.files",
    _("Files brought for an import"),
    TRANSFER,
    Basis.AS_SOURCE,
    "IMPORT",
    sealed=True,
    erase=forget_in_files,
    note=_("Sealed, deleted when the period is over. A file that names an erased person goes as a whole."),
)


@register(Batch)
class BatchData(PersonalData):
    groups = [
        Group(
            fields=("file", "lines_file", "file_name", "lines_name"),
            subject=None,
            purpose=TRANSFER,
            basis=Basis.AS_SOURCE,
            category="IMPORT",
            start="created_at",
            note=_("The files are sealed and deleted when the period is over; the counts stay."),
        ),
        Group(
            fields=("header", "lines_header", "mapping", "preview", "failure", "undo"),
            subject=None,
            purpose=TRANSFER,
            basis=Basis.AS_SOURCE,
            category="IMPORT",
            start="created_at",
            note=_("What is told from a file: its columns, why it stopped, numbers of customers that an undo left."),
        ),
        Group(
            fields=("user",),
            subject="user",
            person="staff",
            purpose=_("Knowing who imported what"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="IMPORT",
            start="created_at",
        ),
    ]
    plain = (
        "kind", "profile", "platform", "state", "origin", "as_of", "counts", "position", "rows", "lease", "lease_until",
        "attempts", "version", "created_at", "started_at", "finished_at", "undone_at",
    )  # fmt: skip
    files = ("file", "lines_file")


@register(BatchProblem)
class BatchProblemData(PersonalData):
    parent = "batch"
    # A line number leads to a person for as long as somebody has the file.
    groups = [
        Group(
            fields=("line", "field", "message"),
            subject=None,
            purpose=TRANSFER,
            basis=Basis.AS_SOURCE,
            category="IMPORT",
            start="batch.created_at",
        )
    ]
    plain = ("batch", "dry_run", "severity", "file")


@register(SavedMapping)
class SavedMappingData(PersonalData):
    groups = [
        Group(
            fields=("user",),
            subject="user",
            person="staff",
            purpose=_("Knowing who imported what"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="STAFF",
            start="saved_at",
            anonymize={"user": None},
        )
    ]
    plain = ("fingerprint", "kind", "mapping", "saved_at")
