"""Why a model that a provider lists is left out: it makes embeddings, images or sound, and no answers. Pure.

The provider's own marks decide; without any, whole words of the name do, never parts of words, or a folder's name.
"""

import re
from typing import Any

from stores.records.codecs import JSONObject
from stores.records.json_values import object_in

LONGEST_REF = 500
"""Characters of a provider's name for a model: it can be the path of a file."""
GONE = "The provider no longer lists it."

_KINDS = {
    **dict.fromkeys(("embedding", "embeddings", "feature-extraction", "sentence-similarity"), "embeddings"),
    **dict.fromkeys(("image", "images", "text-to-image"), "images"),
    **dict.fromkeys(("video", "text-to-video"), "videos"),
    **dict.fromkeys(("audio", "tts", "speech", "text-to-speech"), "sound"),
    **dict.fromkeys(("transcribe", "transcription", "stt", "automatic-speech-recognition"), "transcripts"),
    **dict.fromkeys(("rerank", "reranker", "text-ranking"), "rankings"),
    **dict.fromkeys(("moderation", "guard", "text-classification"), "judgements of texts"),
}
"""What a model of a kind makes. Kinds as in Together AI's `type`, Hugging Face's `pipeline_tag`, LM Studio's `type`."""

_CHATS = frozenset(("completion", "completions", "chat", "chat-completion", "chat.completions", "generate", "tools"))
"""Marks of models that answer: Ollama's and LM Studio's `capabilities`, Cohere's `endpoints`."""

_WORDS = {
    **dict.fromkeys(
        ("embed", "embedding", "embeddings", "embedqa", "embedcode", "embeddinggemma", "minilm", "bge"), "embeddings"
    ),
    **dict.fromkeys(("imagen", "sdxl", "flux", "cogview", "seedream"), "images"),
    **dict.fromkeys(("sora", "veo", "cogvideox", "seedance"), "videos"),
    **dict.fromkeys(("tts", "lyria", "cosyvoice"), "sound"),
    **dict.fromkeys(("whisper", "transcribe", "asr", "paraformer"), "transcripts"),
    **dict.fromkeys(("rerank", "reranker", "rerankqa"), "rankings"),
    **dict.fromkeys(("moderation", "guard", "shieldgemma"), "judgements of texts"),
}
_PHRASES = {
    **dict.fromkeys(("dall e", "gpt image", "chatgpt image", "stable diffusion", "qwen image"), "images"),
    **dict.fromkeys(("grok 2 image", "grok imagine", "z image", "t 2 i"), "images"),
    **dict.fromkeys(("t 2 v", "i 2 v"), "videos"),
}
_OTHER_WAYS = {
    **dict.fromkeys(("realtime", "gemini live", "flash live", "native audio"), "answers live calls only"),
    **dict.fromkeys(("davinci", "babbage", "gpt 3 5 turbo instruct"), "only completes text"),
}


def why_unusable(ref: str) -> str:
    """Return in words why no model can be kept under this name; nothing where one can."""
    if len(ref) > LONGEST_REF:
        return f"Its name has more than {LONGEST_REF} characters."
    return "" if ref.isprintable() else "Its name has characters that cannot be shown."


def why_left_out(listed: JSONObject) -> str:
    """Return in words why a listed model cannot chat; nothing where it can."""
    marked = _by_marks(listed)
    return _by_name(str(listed["id"])) if marked is None else marked


def _by_marks(listed: JSONObject) -> str | None:
    """Return what the provider itself says: why not, nothing for a model that answers, None where it says nothing."""
    for name in ("type", "pipeline_tag", "task"):
        if isinstance(kind := listed.get(name), str) and kind.lower() in _KINDS:
            return _makes(_KINDS[kind.lower()])
    out = _texts(object_in(listed, "architecture").get("output_modalities")) or _texts(listed.get("output_modalities"))
    if out:
        # OpenRouter's and others' list of what comes out.
        return "" if "text" in out else _makes(" and ".join(_KINDS.get(mode, mode) for mode in out))
    abilities = listed.get("capabilities")
    for name in ("completion_chat", "chat_completion"):
        # Mistral and Azure.
        if isinstance(abilities, dict) and isinstance(chats := abilities.get(name), bool):
            return "" if chats else "The provider says that it does not chat."
    for name in ("capabilities", "endpoints", "supportedGenerationMethods", "supported_generation_methods"):
        if marks := _texts(listed.get(name)):
            if _CHATS.intersection(marks) or any("generatecontent" in mark for mark in marks):
                return ""
            if kinds := [_KINDS[mark.removesuffix("s")] for mark in marks if mark.removesuffix("s") in _KINDS]:
                return _makes(kinds[0])
            if "embed" in marks or "embedcontent" in marks:
                return _makes("embeddings")
    return None


def _by_name(ref: str) -> str:
    last = re.split(r"[/\\]", ref)[-1].lower()
    words = re.findall(r"[a-z]+|\d+", last)
    # "gpt4o" is no word of its own here, and "e5" neither: letters and digits are told apart.
    if kind := next((_WORDS[word] for word in words if word in _WORDS), ""):
        return f"Its name says that it makes {kind}."
    joined = f" {' '.join(words)} "
    if way := next((way for phrase, way in _OTHER_WAYS.items() if f" {phrase} " in joined), ""):
        return f"Its name says that it {way}."
    found = next((kind for phrase, kind in _PHRASES.items() if f" {phrase} " in joined), "")
    return f"Its name says that it makes {found}." if found else ""


def _makes(what: str) -> str:
    return f"The provider says that it makes {what}."


def _texts(values: Any) -> list[str]:
    return [value.lower() for value in values if isinstance(value, str)] if isinstance(values, list) else []
