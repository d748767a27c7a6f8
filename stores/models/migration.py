"""Migration runs, what they imported, and what they could not read."""

from django.db import models

from stores.records.fields import CompressedTextField, VerbatimJSONField


class MigrationRun(models.Model):
    """One import, from its start to its certificate; or the preview of one, or one taken back."""

    class Purpose(models.TextChoices):
        IMPORT = "import", "Import"
        PREVIEW = "preview", "Preview"
        UNDO = "undo", "Undo"

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        ERROR = "error", "Error"

    purpose = models.CharField(
        max_length=8,
        choices=Purpose.choices,
        default=Purpose.IMPORT,
        db_default=Purpose.IMPORT,
        help_text="Whether it imports, only says what an import would do, or takes one back.",
    )
    based_on = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="followed_by",
        help_text="The preview that it carries out, or the run that it takes back.",
    )
    options = VerbatimJSONField(
        null=True, blank=True, help_text="How it imports: strategy, restore_deleted, recover, actor."
    )
    status = models.CharField(
        max_length=8, choices=Status.choices, default=Status.RUNNING, help_text="Where the run stands."
    )
    phase = models.CharField(max_length=10, blank=True, help_text="The phase that is, or was last, under way.")
    phases = VerbatimJSONField(help_text="Each phase: name, status, done, total, notes.")
    counts = VerbatimJSONField(help_text="For each kind: what the reader counted, and what went into each bucket.")
    errors = VerbatimJSONField(help_text="The error log: at, phase, place, message.")
    notes = VerbatimJSONField(help_text="What the owner should know about the source and the result.")
    certificate = VerbatimJSONField(null=True, blank=True, help_text="What the verification found.")

    last_completed_task = models.CharField(max_length=200, blank=True, help_text="The last thing that was finished.")
    next_task = models.CharField(max_length=200, blank=True, help_text="What comes next.")
    blocked_by = models.CharField(max_length=500, blank=True, help_text="What keeps the run from going on.")

    source_name = models.CharField(max_length=500, help_text="The file's name, without its folder.")
    source_kind = models.CharField(max_length=20, blank=True, help_text="flash-backup, all-chats or one-chat.")
    source_path = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="Where its file is kept in `uploads/`, as long as a run may need it.",
    )
    source_size = models.PositiveBigIntegerField(default=0, help_text="The file's size in bytes.")
    source_sha256 = models.CharField(max_length=64, blank=True, help_text="The file's SHA-256.")
    source_taken_at = models.CharField(max_length=40, blank=True, help_text="When big-AGI wrote it, by its own words.")
    source_device = models.CharField(
        max_length=200, blank=True, help_text="The browser that wrote it, as its app-device names it."
    )

    bytes_read = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="How much of the file has been read for its records, in bytes."
    )

    resumed = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How often it was taken up again after an interruption."
    )
    checkpoint = VerbatimJSONField(
        null=True, blank=True, help_text="What it has to know of what came before an interruption, if there is one."
    )
    position_base = models.BigIntegerField(
        default=0, help_text="Position of the first conversation of the file; a resumed import keeps it."
    )
    pid = models.PositiveIntegerField(help_text="The process that does it.")
    owner = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="The process that does it, and its machine."
    )
    lease_until = models.BigIntegerField(
        default=0, db_default=0, help_text="Until when its owner answers for it, in ms since the epoch."
    )
    started_at = models.DateTimeField(auto_now_add=True, help_text="When it began.")
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When it ended.")

    class Meta:
        ordering = ["-id"]
        verbose_name = "import"
        indexes = [
            # The next import asks whether one is running, and whether one of the same source was broken off.
            models.Index(fields=["status"], name="stores_run_status"),
            models.Index(fields=["source_sha256"], name="stores_run_source"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.pk}: {self.source_name}"


class ImportedRecord(models.Model):
    """What an import last brought for one id. It outlives the record, and so tells "deleted here" from "new"."""

    kind = models.CharField(max_length=20, help_text="What it is: store, conversation, folder, …")
    uid = models.CharField(max_length=200, help_text="The record's id.")
    source_digest = models.CharField(max_length=32, help_text="Digest of the record's raw text as last imported.")
    imported_hash = models.CharField(max_length=32, help_text="The content hash of the record as the source has it.")
    merged_hash = models.CharField(
        max_length=32, blank=True, default="", db_default="", help_text="The same, where it was merged with ours."
    )
    base = CompressedTextField(
        null=True, blank=True, help_text="What a merge has to know of it: digests of its parts, compressed."
    )
    branch_of = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="The record that it was made a branch of."
    )
    counts = VerbatimJSONField(null=True, blank=True, help_text="How many parts of each kind it has.")
    is_verified = models.BooleanField(default=False, help_text="Whether a verification has found it here since.")
    run = models.ForeignKey(
        MigrationRun,
        null=True,
        on_delete=models.SET_NULL,
        related_name="records",
        help_text="The run that last brought it.",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "uid"], name="stores_importedrecord_unique")]
        indexes = [
            # An import knows a record it brought before by its raw text, without decoding it.
            models.Index(fields=["kind", "source_digest"], name="stores_importedrecord_digest"),
            # A chat's branches; few records are one.
            models.Index(
                fields=["kind", "branch_of"],
                name="stores_importedrecord_branch",
                condition=~models.Q(branch_of=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"


class RunRecord(models.Model):
    """What one run made, or by its preview would make, of one record. All of a record's are its provenance."""

    run = models.ForeignKey(
        MigrationRun, on_delete=models.CASCADE, related_name="decided", help_text="The run that decided it."
    )
    kind = models.CharField(max_length=20, help_text="What it is: store, conversation, folder, …")
    uid = models.CharField(max_length=200, help_text="The record's id.")
    name = models.CharField(max_length=200, blank=True, help_text="What a person called it, where it was read.")
    outcome = models.CharField(max_length=12, help_text="What became of it: created, updated, merged, …")
    reason = models.CharField(max_length=100, blank=True, help_text="Why it was skipped.")
    rules = VerbatimJSONField(null=True, blank=True, help_text="How often each rule of merging decided something.")
    parts = VerbatimJSONField(null=True, blank=True, help_text="By kind of part: how many had which outcome, and why.")
    is_conflicting = models.BooleanField(default=False, help_text="Whether both sides had something of their own.")
    is_kept_aside = models.BooleanField(default=False, help_text="Whether the file's state is kept as a revision.")
    is_branch = models.BooleanField(
        default=False, help_text="Whether it is no record of the file, but a branch of one."
    )
    imported_before = CompressedTextField(
        null=True, blank=True, help_text="What imports had brought of it before, as JSON; absent: as now."
    )
    difference = CompressedTextField(
        null=True, blank=True, help_text="Of a preview: the difference between what is here and what would be."
    )
    beside = CompressedTextField(
        null=True,
        blank=True,
        help_text="What the run changed beside the record, as it was before, as JSON: what the journal does not keep.",
    )

    class Meta:
        ordering = ["id"]
        indexes = [
            # A run's lists, and the history of one record.
            models.Index(fields=["run", "outcome", "kind"], name="stores_runrecord_outcome"),
            models.Index(fields=["kind", "uid", "run"], name="stores_runrecord_record"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name or self.uid}"


class Quarantine(models.Model):
    """A list member that no row can hold, with its place and its raw text. A dump puts it back where it was."""

    store = models.CharField(max_length=200, help_text="The store it belongs to.")
    collection = models.CharField(max_length=40, help_text="The list in which it stands, as messages.")
    owner = models.BigIntegerField(
        null=True, blank=True, help_text="Row id of the conversation, message or folder that has the list."
    )
    position = models.BigIntegerField(help_text="Its place in the list.")
    kind = models.CharField(max_length=20, help_text="What it should have been: conversation, message, …")
    uid = models.CharField(max_length=200, blank=True, help_text="Its id, where one can be read.")
    place = models.CharField(max_length=500, help_text="Where it was found, in words.")
    reason = models.CharField(max_length=500, help_text="Why no row can hold it.")
    raw = VerbatimJSONField(help_text="Its raw text; secrets are references.")
    raw_digest = models.CharField(max_length=32, help_text="Digest of the raw text as it was read.")
    is_json = models.BooleanField(help_text="Whether the raw text is JSON, and so can stand in a dump.")
    run = models.ForeignKey(
        MigrationRun,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="quarantined",
        help_text="The run that met it.",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was put here.")

    class Meta:
        ordering = ["-id"]
        verbose_name = "quarantined part"
        verbose_name_plural = "quarantine"
        indexes = [
            # Dumps and pages put the members of one list back in their places.
            models.Index(fields=["store", "collection", "owner", "position"], name="stores_quarantine_place")
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.place}"
