"""What a reader sees of each fragment of a message, by its part's type (`bigagi-format.md` § 3).

Nothing is hidden: unknown parts are shown folded, as JSON.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString

from chats.assets import referenced_ids
from chats.models import Asset
from chats.rendering import MAX_MARKDOWN, is_safe_link, printable, render_code, render_markdown
from stores.records.formatting import format_json
from stores.records.ids import href
from stores.records.json_values import text_or_empty

RASTER_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
"""The only image types that a page shows: an SVG can contain scripts."""

MARKDOWN = "markdown"
"""The language of texts that are Markdown, whether or not they are rendered."""

MARKDOWN_BUDGET = 400_000
"""Characters of one page that are rendered as Markdown (about a second); what comes after is shown as it is."""

SHOWN_BUDGET = 3_000_000
"""Characters of one page that are shown in full."""

MAX_TEXT = 200_000
"""Characters of one text that a page shows."""

CUT_TEXT = 2_000
"""Characters that are shown of each text once the page's budget is used up."""


@dataclass
class Link:
    url: str
    text: str
    detail: str = ""


@dataclass
class Block:
    """One fragment as it is shown. `kind` names the shape: html, error, image, audio, fold, sources or note.

    `text` is what `html` was made of: Markdown, or code of a `language`."""

    kind: str
    title: str = ""
    html: SafeString | str = ""
    text: str = ""
    language: str = ""
    is_code: bool = False
    is_cut: bool = False
    links: list[Link] = field(default_factory=list)
    asset: Asset | None = None
    url: str = ""
    fault: str = ""
    """What an image is that cannot be shown: missing, damaged or unreadable."""


class RenderBudget:
    """Limits the rendering time and the length of a page, whatever its messages contain."""

    def __init__(self) -> None:
        self.markdown = MARKDOWN_BUDGET
        self.shown = SHOWN_BUDGET

    def cut(self, text: str) -> tuple[str, bool]:
        """Return as much of the text as may be shown, and whether it was cut."""
        longest = MAX_TEXT if self.shown > 0 else CUT_TEXT
        self.shown -= min(len(text), longest)
        return text[:longest], len(text) > longest

    def may_render(self, text: str) -> bool:
        """Tell whether the text may still be rendered as Markdown, and deduct it from the budget."""
        if len(text) > self.markdown:
            return False
        self.markdown -= len(text)
        return True


class WholeTexts(RenderBudget):
    """Cuts nothing: what leaves this server as a file is to be whole. With `renders=False`, texts alone are wanted."""

    def __init__(self, *, renders: bool = True) -> None:
        super().__init__()
        self._renders = renders

    def cut(self, text: str) -> tuple[str, bool]:
        return text, False

    def may_render(self, text: str) -> bool:
        return self._renders and len(text) <= MAX_MARKDOWN


def build_block(
    pt: str | None,
    title: str,
    text: str | None,
    part: Any,
    *,
    budget: RenderBudget,
    assets: Mapping[str, Asset],
    is_typed: bool,
) -> Block:
    """Return what is shown of a fragment; `is_typed` says that a person typed the message.

    `assets` has the assets under the ids by which parts name them (`chats.assets.find_assets`).
    """
    part = part if isinstance(part, dict) else {}
    match pt:
        case "text":
            return _text_block("html", title, text, budget, line_breaks=is_typed)
        case "error":
            block = _text_block("error", "Error", text, budget, line_breaks=True)
            hint = text_or_empty(part.get("hint"))
            return block if not hint else _with_note(block, hint)
        case "ma":
            label = "Reasoning" if text else "Reasoning, redacted by the provider"
            return _text_block("fold", label, text, budget)
        case "ph":
            return Block("note", "Unfinished answer", printable(text or ""))
        case "reference" | "image_ref":
            return reference_block(title, part, assets)
        case "doc":
            return _document_block(title, text, part, budget)
        case "tool_invocation":
            return _invocation_block(part, budget)
        case "tool_response":
            return _response_block(part, budget)
        case "annotations":
            return _sources_block(part, budget)
        case _:
            label = {"hosted_resource": "File stored by the provider"}.get(pt or "", f"Part of type {pt or 'unknown'}")
            body = part if text is None else {"text": text, **part}
            return _code_block(label, format_json(body), "json", budget)


def _text_block(kind: str, title: str, text: str | None, budget: RenderBudget, *, line_breaks: bool = False) -> Block:
    shown, is_cut = budget.cut(text or "")
    if budget.may_render(shown):
        html = render_markdown(shown, line_breaks=line_breaks)
        return Block(kind, title, html, printable(shown), MARKDOWN, is_cut=is_cut)
    return Block(kind, title, printable(shown), printable(shown), MARKDOWN, is_code=True, is_cut=is_cut)


def _code_block(title: str, code: str, language: str, budget: RenderBudget) -> Block:
    shown, is_cut = budget.cut(code)
    html = render_code(shown, language) if budget.may_render(shown) else printable(shown)
    return Block("fold", printable(title), html, printable(shown), language, is_code=True, is_cut=is_cut)


def _with_note(block: Block, note: str) -> Block:
    block.links.append(Link("", printable(note)))
    return block


def reference_block(title: str, part: dict[str, Any], assets: Mapping[str, Asset]) -> Block:
    """Return what is shown of a part that names an asset, or an image elsewhere."""
    legacy = part.get("_legacyImageRefPart")
    image = legacy if isinstance(legacy, dict) else part
    summary = part.get("zRefSummary")
    label = text_or_empty(image.get("altText")) or (
        text_or_empty(summary.get("text")) if isinstance(summary, dict) else ""
    )
    label = printable(label or title or "no description")
    ids = referenced_ids(part)
    asset = next((assets[uid] for uid in ids if uid in assets), None)
    if asset is not None:
        kind = "asset"
        if asset.mime_type in RASTER_TYPES:
            kind = "image"
        elif (asset.mime_type or "").startswith("audio/"):
            kind = "audio"
        return Block(kind, label, asset=asset, url=content_url(asset))
    reference = image.get("dataRef")
    url = reference.get("url") if isinstance(reference, dict) else None
    if is_safe_link(url):
        # Loading it would reveal to another host when and by whom the chat is read.
        return Block("sources", "Image on another host, not loaded", links=[Link(str(url), label)])
    return Block("missing", label, printable(ids[0] if ids else "no id"), fault="missing")


def _document_block(title: str, text: str | None, part: dict[str, Any], budget: RenderBudget) -> Block:
    data = part.get("data")
    mime_type = text_or_empty(data.get("mimeType")) if isinstance(data, dict) else ""
    vdt = text_or_empty(part.get("vdt")) or text_or_empty(part.get("type"))
    label = printable(
        f"Document: {title or text_or_empty(part.get('l1Title')) or text_or_empty(part.get('ref')) or 'untitled'}"
    )
    if text is None:
        return _code_block(label, format_json(part), "json", budget)
    if "markdown" in mime_type:
        return _text_block("fold", label, text, budget)
    language = {"application/json": "json", "text/html": "html", "text/css": "css"}.get(mime_type, "")
    if vdt == "application/vnd.agi.code" and not language:
        language = (title or text_or_empty(part.get("l1Title"))).rpartition(".")[2][:20]
    return _code_block(label, text, language, budget)


def _invocation_block(part: dict[str, Any], budget: RenderBudget) -> Block:
    call = part.get("invocation")
    call = call if isinstance(call, dict) else {}
    if isinstance(call.get("code"), str):
        label = f"Code to run by {text_or_empty(call.get('author')) or 'the model'}"
        return _code_block(label, call["code"], text_or_empty(call.get("language")), budget)
    if "name" in call:
        return _code_block(f"Tool call: {call['name']}", _readable(call.get("args")), "json", budget)
    return _code_block("Tool call", format_json(part), "json", budget)


def _response_block(part: dict[str, Any], budget: RenderBudget) -> Block:
    response = part.get("response")
    response = response if isinstance(response, dict) else {}
    failed = ", failed" if part.get("error") else ""
    name = response.get("name") or response.get("executor") or "tool"
    if "result" not in response:
        return _code_block(f"Tool result{failed}", format_json(part), "json", budget)
    result = _readable(response["result"])
    language = "json" if result[:1] in ("{", "[") else ""
    if isinstance(part.get("error"), str):
        result, language = f"{part['error']}\n{result}", ""
    return _code_block(f"Tool result of {name}{failed}", result, language, budget)


def _readable(value: Any) -> str:
    """Return JSON indented, from a value or from text with JSON; other text unchanged."""
    if not isinstance(value, str):
        return format_json(value)
    try:
        return format_json(json.loads(value)) if value[:1] in ("{", "[") else value
    except (ValueError, RecursionError):
        return value


def _sources_block(part: dict[str, Any], budget: RenderBudget) -> Block:
    annotations = part.get("annotations")
    links = []
    for annotation in annotations if isinstance(annotations, list) else []:
        if not isinstance(annotation, dict):
            continue
        url = text_or_empty(annotation.get("url"))
        number = annotation.get("refNumber")
        links.append(
            Link(
                url if is_safe_link(url) else "",
                printable(text_or_empty(annotation.get("title")) or url or "untitled"),
                "" if number is None or not isinstance(number, int | str) else printable(f"[{number}]"),
            )
        )
    if not links:
        return _code_block("Annotations", format_json(part), "json", budget)
    return Block("sources", "Sources", links=links)


def content_url(asset: Asset) -> str:
    """Return the address of the asset's bytes."""
    return href("assets", asset.uid, "content")
