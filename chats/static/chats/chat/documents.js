// Documents whose text the server reads: PDF, Word, Excel, PowerPoint, HTML.

import { send } from "./api.js";

export const ENDINGS = ["pdf", "docx", "docm", "xlsx", "xlsm", "xlsb", "xls", "ods", "pptx", "pptm", "html", "htm", "xhtml"];
export const SOURCE = "text/html";
// Of the others the server says what to do with them.
const NAMES = new RegExp(`\\.(?:${ENDINGS.join("|")}|doc|ppt|odt|odp|rtf)$`, "i");
const TYPES = new Set(["application/pdf", SOURCE]);
// One at a time, whatever number is dropped at once.
let last = Promise.resolve();

export const isDocument = ({ name, type }) => NAMES.test(name) || TYPES.has(type);

// Puts the text and what was counted into the clip. Resolves to why that failed: with `problem` "unreadable" for good,
// with any other it can be tried again.
export function read(clip) {
  Object.assign(clip, { abort: new AbortController(), problem: "" });
  const reading = last.then(() => readNow(clip));
  last = reading;
  return reading;
}

async function readNow(clip) {
  const { file, abort } = clip;
  const path = `/api/documents/text?${new URLSearchParams({ filename: clip.name })}`;
  const headers = { "Content-Type": file.type || "application/octet-stream" };
  try {
    const found = await (await send("POST", path, { body: file, headers, signal: abort.signal })).json();
    const none = found.warnings.find(({ code }) => code === "no-text");
    if (none) {
      clip.problem = "unreadable";
      return `${lower(none.detail)} ${found.kind === "pdf" ? "Run text recognition (OCR) on it, or attach its pages as images." : ""}`.trim();
    }
    Object.assign(clip, { text: found.text, mimeType: found.mime_type, kind: found.kind, summary: found.summary, warnings: found.warnings });
  } catch (error) {
    clip.problem = error.status === 400 || error.name === "AbortError" ? "unreadable" : error.message;
    return lower(error.message);
  }
  return "";
}

const lower = (text) => text.charAt(0).toLowerCase() + text.slice(1);

export const isSource = (clip) => clip.mimeType === SOURCE;

// Of an HTML page the source can be attached instead of what a reader sees, and the other way round.
export async function swapSource(clip) {
  clip.other ??= { text: new TextDecoder().decode(await clip.file.arrayBuffer()), mimeType: SOURCE, summary: "HTML source", warnings: [] };
  const { text, mimeType, summary, warnings, other } = clip;
  Object.assign(clip, other, { other: { text, mimeType, summary, warnings } });
}
