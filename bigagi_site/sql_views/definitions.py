"""The views: what each column means, and the SQL behind it. Scripts of the owner's stand on these names: a column may
be added at the end, and never renamed or removed.

Nothing here reads the JSON that big-AGI's records are kept in: of one damaged value the whole query would fail.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bigagi_site.sql_views.expressions import FREE_OR_PRICED, Dialect
from metrics.ledger.sums import COUNTED

TEXT, WHOLE, NUMBER, FLAG = "text", "integer", "number", "true or false"

NUMBER_MEANING = "bigagi's own number of the row."
TIME_MS_MEANING = "The same in ms since the epoch. It has an index: use it in WHERE and ORDER BY."


SQL = Callable[[Dialect], str]


def plain(sql: str) -> SQL:
    """Return an expression that is the same on both databases."""
    return lambda dialect: sql


def time_of(ms: str) -> SQL:
    """Return the readable time of a column in ms."""
    return lambda dialect: dialect.time_of(ms)


@dataclass(frozen=True)
class ViewColumn:
    name: str
    type: str
    meaning: str
    sql: SQL = plain("NULL")
    is_nullable: bool = True


@dataclass(frozen=True)
class View:
    """A view; `rows` is what follows FROM. `order` is that in which the table browser shows it."""

    name: str
    meaning: str
    columns: tuple[ViewColumn, ...]
    rows: str
    order: tuple[str, ...] = ("number",)

    def select(self, dialect: Dialect) -> str:
        """Return the query behind the view."""
        columns = ", ".join(f"{column.sql(dialect)} AS {column.name}" for column in self.columns)
        return f"SELECT {columns} FROM {self.rows}"


@dataclass(frozen=True)
class UnionView(View):
    """A view of rows of several tables: for each, what stands in the columns that it has, and its FROM."""

    parts: tuple[tuple[dict[str, SQL], str], ...] = ()

    def select(self, dialect: Dialect) -> str:
        queries = []
        for expressions, rows in self.parts:
            columns = (
                f"{expressions.get(column.name, column.sql)(dialect)} AS {column.name}" for column in self.columns
            )
            queries.append(f"SELECT {', '.join(columns)} FROM {rows}")
        return " UNION ALL ".join(queries)


def _cost_where(condition: str) -> SQL:
    events = f"(SELECT sum({FREE_OR_PRICED}) FROM metrics_usageevent e WHERE {condition} AND e.{COUNTED})"
    return lambda dialect: dialect.dollars_of(events)


def _texts_of(*types: str) -> SQL:
    names = ", ".join(f"'{name}'" for name in types)
    rows = f"chats_fragment f WHERE f.message_id = m.id AND f.pt IN ({names})"
    return lambda dialect: dialect.join_texts("f.text", rows, "f.position", dialect.blank_line)


TITLE = "coalesce(nullif(c.user_title, ''), nullif(c.auto_title, ''), '(untitled)')"

CHATS = View(
    "chats",
    "One row for each chat.",
    (
        ViewColumn("number", WHOLE, NUMBER_MEANING, plain("c.id"), is_nullable=False),
        ViewColumn("id", TEXT, "The chat's id, as big-AGI and the API have it.", plain("c.uid"), is_nullable=False),
        ViewColumn("title", TEXT, "The title that is shown.", plain(TITLE), is_nullable=False),
        ViewColumn("created", TEXT, "When it was started: ISO 8601, UTC.", time_of("c.created")),
        ViewColumn("updated", TEXT, "When it was last changed.", time_of("c.updated")),
        ViewColumn("persona", TEXT, "The persona's id, such as Generic.", plain("c.system_purpose_id")),
        ViewColumn(
            "folders",
            TEXT,
            "The titles of its folders, with commas between them.",
            lambda dialect: dialect.join_texts(
                "o.title",
                "chats_foldermembership x JOIN chats_folder o ON o.id = x.folder_id WHERE x.conversation_uid = c.uid",
                "o.position",
                "', '",
            ),
        ),
        ViewColumn(
            "is_archived",
            FLAG,
            "Whether it is archived.",
            lambda dialect: f"coalesce(c.is_archived, {dialect.false})",
            is_nullable=False,
        ),
        ViewColumn(
            "messages",
            WHOLE,
            "How many messages it has.",
            plain("(SELECT count(*) FROM chats_message n WHERE n.conversation_id = c.id)"),
            is_nullable=False,
        ),
        ViewColumn(
            "cost_usd",
            NUMBER,
            "What its calls cost, in dollars; NULL: no call with a known price.",
            _cost_where("e.conversation = c.uid"),
        ),
        ViewColumn("created_ms", WHOLE, "When it was started, in ms since the epoch.", plain("c.created")),
        ViewColumn("updated_ms", WHOLE, "When it was last changed, in ms since the epoch.", plain("c.updated")),
    ),
    "chats_conversation c",
)

MESSAGES = View(
    "messages",
    "One row for each message of each chat.",
    (
        ViewColumn("number", WHOLE, NUMBER_MEANING, plain("m.id"), is_nullable=False),
        ViewColumn("chat", TEXT, "The chat's id.", plain("c.uid"), is_nullable=False),
        ViewColumn("chat_title", TEXT, "The chat's title.", plain(TITLE), is_nullable=False),
        ViewColumn("id", TEXT, "The message's id, unique in its chat.", plain("m.uid"), is_nullable=False),
        ViewColumn("position", WHOLE, "Its place in the chat, from 0.", plain("m.position"), is_nullable=False),
        ViewColumn("time", TEXT, "When it was written: ISO 8601, UTC.", time_of("m.created")),
        ViewColumn("role", TEXT, "user, assistant or system.", plain("m.role")),
        ViewColumn(
            "text",
            TEXT,
            "What is said in it, errors too; of several parts with an empty line between them. "
            "Attached documents are in the view files.",
            _texts_of("text", "error"),
        ),
        ViewColumn("reasoning", TEXT, "What the model thought before it answered.", _texts_of("ma")),
        ViewColumn("model", TEXT, "The model that answered.", plain("coalesce(m.model_id, m.generator_name)")),
        ViewColumn(
            "cost_usd",
            NUMBER,
            "What its call cost, in dollars; NULL: unpriced, not an answer, or a copy: a call is counted once.",
            _cost_where("e.conversation = c.uid AND e.message = m.uid"),
        ),
        ViewColumn(
            "is_starred",
            FLAG,
            "Whether it is starred.",
            plain("(' ' || coalesce(m.user_flags, '') || ' ') LIKE '% starred %'"),
            is_nullable=False,
        ),
        ViewColumn("time_ms", WHOLE, TIME_MS_MEANING, plain("m.created")),
    ),
    "chats_message m JOIN chats_conversation c ON c.id = m.conversation_id",
)

USAGE = View(
    "usage",
    "One row for each call of a model that counts, tests left out: their sum is the dashboard's. "
    "A call that was reversed has a second row with the opposite amounts.",
    (
        ViewColumn("number", WHOLE, NUMBER_MEANING, plain("e.id"), is_nullable=False),
        ViewColumn("time", TEXT, "When the call was made: ISO 8601, UTC.", time_of("e.at")),
        ViewColumn("source", TEXT, "chat, api or import: where it was recorded.", plain("e.source"), is_nullable=False),
        ViewColumn("service", TEXT, "The service's id.", plain("nullif(e.service, '')")),
        ViewColumn("vendor", TEXT, "The vendor, such as openai.", plain("nullif(e.vendor, '')")),
        ViewColumn("model", TEXT, "The model's id.", plain("nullif(e.model, '')")),
        ViewColumn("chat", TEXT, "The chat's id.", plain("nullif(e.conversation, '')")),
        ViewColumn("message", TEXT, "The message's id.", plain("nullif(e.message, '')")),
        ViewColumn("calls", WHOLE, "1; -1 where the row reverses a call.", plain("e.calls"), is_nullable=False),
        ViewColumn("input_tokens", WHOLE, "New input tokens.", plain("e.input_tokens")),
        ViewColumn("cache_read_tokens", WHOLE, "Input tokens read from a cache.", plain("e.cache_read_tokens")),
        ViewColumn("cache_write_tokens", WHOLE, "Input tokens written to a cache.", plain("e.cache_write_tokens")),
        ViewColumn("output_tokens", WHOLE, "Visible output tokens.", plain("e.output_tokens")),
        ViewColumn("reasoning_tokens", WHOLE, "Reasoning tokens.", plain("e.reasoning_tokens")),
        ViewColumn("is_estimated", FLAG, "Whether the counts are estimates.", plain("e.estimated"), is_nullable=False),
        ViewColumn(
            "cost_usd",
            NUMBER,
            "The cost in dollars; 0: free; NULL: unpriced.",
            lambda dialect: dialect.dollars_of(FREE_OR_PRICED),
        ),
        ViewColumn("cost_code", TEXT, "Why there is no price, or only part of one.", plain("nullif(e.cost_code, '')")),
        ViewColumn("outcome", TEXT, "How the call ended, such as done.", plain("nullif(e.outcome, '')")),
        ViewColumn("ms_to_first_token", WHOLE, "Milliseconds to the first token.", plain("e.ms_to_first_token")),
        ViewColumn("ms_total", WHOLE, "Milliseconds of the whole call.", plain("e.ms_total")),
        ViewColumn("time_ms", WHOLE, TIME_MS_MEANING, plain("e.at"), is_nullable=False),
    ),
    f"metrics_usageevent e WHERE e.{COUNTED}",
)

_ASSETS = {
    "number": plain("a.id"),
    "kind": plain("coalesce(a.asset_type, 'image')"),
    "id": plain("a.uid"),
    "name": plain("a.label"),
    "type": plain("a.mime_type"),
    "size": plain("a.size"),
    "created": plain("a.created"),
    "path": plain("'assets/' || substr(a.sha256, 1, 2) || '/' || a.sha256"),
}
_LIVE_FILES = {
    "number": plain("l.id"),
    "kind": plain("'text file'"),
    "id": plain("l.uid"),
    "name": plain("l.name"),
    "type": plain("l.type"),
    "size": lambda dialect: f"coalesce({dialect.bytes_of('l.content')}, l.size)",
    "created": time_of("l.created"),
    "text": plain("l.content"),
}
_DOCUMENTS = {
    "number": plain("f.id"),
    "kind": plain("'document'"),
    "id": plain("f.fid"),
    "name": plain("f.title"),
    "size": lambda dialect: dialect.bytes_of("f.text"),
    "chat": plain("c.uid"),
    "message": plain("m.uid"),
    "created": time_of("m.created"),
    "text": plain("f.text"),
}

FILES = UnionView(
    "files",
    "One row for each image and sound, each text file, and each document that is attached to a message.",
    (
        ViewColumn("number", WHOLE, f"{NUMBER_MEANING} Unique among those of a kind.", is_nullable=False),
        ViewColumn("kind", TEXT, "image, audio, text file or document.", is_nullable=False),
        ViewColumn("id", TEXT, "The id that big-AGI gave it."),
        ViewColumn("name", TEXT, "Its name."),
        ViewColumn("type", TEXT, "The MIME type of an image, a sound or a text file."),
        ViewColumn("size", WHOLE, "Its length in bytes; of a document that of its text."),
        ViewColumn("chat", TEXT, "The id of the chat that a document is attached in."),
        ViewColumn("message", TEXT, "The id of the message that a document is attached to."),
        ViewColumn("created", TEXT, "When it was made or attached: ISO 8601, UTC."),
        ViewColumn("text", TEXT, "The text of a text file or a document."),
        ViewColumn("path", TEXT, "Where the bytes of an image or a sound are, in the data folder."),
    ),
    "",
    ("kind", "number"),
    parts=(
        (_ASSETS, "chats_asset a"),
        (_LIVE_FILES, "workspace_livefile l"),
        (
            _DOCUMENTS,
            "chats_fragment f JOIN chats_message m ON m.id = f.message_id"
            " JOIN chats_conversation c ON c.id = m.conversation_id WHERE f.pt = 'doc'",
        ),
    ),
)

VIEWS = {view.name: view for view in (CHATS, MESSAGES, USAGE, FILES)}
