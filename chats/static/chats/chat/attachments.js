// Files that go with a message: texts as documents, images as assets, in big-AGI's shapes.

import { call } from "./api.js";
import * as documents from "./documents.js";
import { showText } from "./document-sheet.js";
import { byId, el, icon } from "./dom.js";
import { say } from "./live.js";
import { randomId } from "./messages.js";
import { emit } from "./state.js";
import { toast } from "./toasts.js";

const MOST = 10 * 1024 * 1024;
const PLAIN = "text/plain";
const CODE = "application/vnd.agi.code";
const TEXTS = {
  ...{ txt: PLAIN, md: "text/markdown", log: PLAIN, json: "application/json", csv: "text/csv" },
  ...{ xml: "application/xml", yaml: "application/yaml", yml: "application/yaml", toml: "application/toml" },
  ...{ js: "text/javascript", ts: "text/typescript", jsx: "text/jsx", tsx: "text/tsx", py: "text/x-python" },
  ...{ java: "text/x-java", c: "text/x-c", cpp: "text/x-c++", h: "text/x-c", css: "text/css", sql: "application/sql" },
  sh: "application/x-sh",
};
const IMAGES = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);
const ACCEPTED = [...[...documents.ENDINGS, ...Object.keys(TEXTS)].map((ending) => `.${ending}`), ...IMAGES].join(",");
// Those of chats that were left, by the names of their drafts; the page forgets them when it is closed.
const kept = new Map();
let clips = [];
let reading = 0;

export const count = () => clips.length;
export const textLength = () => clips.reduce((sum, { text }) => sum + (text?.length ?? 0), 0);
export const images = () => clips.filter(({ isImage }) => isImage).length;

const endingOf = (name) => (name.includes(".") ? name.split(".").pop().toLowerCase() : "");
// As `stores.records.units` writes sizes.
const sizeOf = (size) => (size < 1000 ? `${size} B` : size < 999_950 ? `${(size / 1e3).toFixed(1)} kB` : `${(size / 1e6).toFixed(1)} MB`);

const refuse = (name, why) => toast(`${name} cannot be attached: ${why}`, { kind: "bad" });

export async function add(files) {
  // Reading takes time, in which somebody can go to another chat.
  const into = clips;
  reading += 1;
  for (const file of files) {
    const name = file.name || "pasted";
    const isImage = IMAGES.has(file.type);
    if (file.size > MOST) refuse(name, "it is too large; the limit is 10 MiB.");
    else if (!file.size) refuse(name, "it is empty.");
    else if (isImage) await addImage(file, name, into);
    else if (documents.isDocument(file)) addDocument(file, name, into);
    else if (endingOf(name) in TEXTS) await addText(file, name, into);
    else refuse(name, "only PDF, Word, Excel, PowerPoint and HTML files, text files (.txt, .md, .json, .csv, code and so on) and PNG, JPEG, WebP or GIF images can be attached.");
  }
  reading -= 1;
  show();
}

async function addText(file, name, into) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    if (text.includes("\0")) throw new TypeError("binary");
    into.push({ file, name, text, isImage: false });
  } catch {
    refuse(name, "it is not UTF-8 text.");
  }
}

function addDocument(file, name, into) {
  const clip = { file, name, text: "", isImage: false };
  into.push(clip);
  void read(clip, into);
}

// A document is among the others while it is read, and a message that is sent waits for it.
async function read(clip, into) {
  clip.reading = documents.read(clip);
  show();
  const why = await clip.reading;
  clip.reading = null;
  if (clip.problem === "unreadable" && into.includes(clip)) {
    drop(into, [clip]);
    refuse(clip.name, why);
  } else show();
  if (clip.summary) say(`${clip.name}: ${clip.summary}`);
}

async function addImage(file, name, into) {
  try {
    const bitmap = await createImageBitmap(file);
    into.push({ file, name, isImage: true, width: bitmap.width, height: bitmap.height, url: URL.createObjectURL(file) });
    bitmap.close();
  } catch {
    refuse(name, "the image cannot be read.");
  }
}

let rows = new Map();

// The keyboard stays where it is, also when a document has been read meanwhile.
function show() {
  const box = byId("clips");
  const at = document.activeElement;
  const held = [...rows].find(([row]) => row.contains(at))?.[1];
  const { scrollTop } = box;
  rows = new Map(clips.map((clip) => [rowOf(clip), clip]));
  box.hidden = !clips.length;
  box.replaceChildren(...rows.keys());
  box.scrollTop = scrollTop;
  if (held) {
    const row = [...rows].find(([, clip]) => clip === held)?.[0];
    (row?.querySelector(at.matches(".act") ? ".act" : ".clip-open") ?? byId("message")).focus({ preventScroll: true });
  }
  emit("clips");
}

function rowOf(clip) {
  const remove = el("button", { type: "button", class: "act act-small", "aria-label": `Remove ${clip.name}` }, icon("close"));
  remove.addEventListener("click", () => {
    clip.abort?.abort();
    drop(clips, [clip]);
    byId("message").focus();
  });
  const mark = clip.isImage ? el("img", { src: clip.url, alt: "", class: "clip-image" }) : icon("file");
  return el("li", { class: `clip${clip.reading ? " is-reading" : ""}`, "aria-busy": clip.reading ? "true" : null }, mark, aboutOf(clip), remove);
}

// What is known of a clip; of a text, a button that shows it.
function aboutOf(clip) {
  const words = [el("b", {}, clip.name), el("small", {}, clip.reading ? "Reading…" : (clip.summary ?? sizeOf(clip.file.size)))];
  if (clip.reading || clip.isImage) return el("span", { class: "clip-about" }, ...words);
  const act = clip.problem ? "Try again" : "Look at the text";
  if (clip.problem) words.push(el("small", { class: "clip-problem" }, `${clip.problem} Try again.`));
  else {
    if (clip.warnings?.length) words.push(el("small", { class: "clip-warning" }, clip.warnings[0].detail));
    words.push(el("span", { class: "visually-hidden" }, act));
  }
  const about = el("button", { type: "button", class: "clip-about clip-open", title: act }, ...words);
  about.addEventListener("click", () => {
    if (clip.problem) void read(clip, clips);
    else showText(clip, sizeOf(clip.file.size), show);
  });
  return about;
}

function drop(from, some) {
  for (const clip of some) {
    if (clip.url) URL.revokeObjectURL(clip.url);
    if (from.includes(clip)) from.splice(from.indexOf(clip), 1);
  }
  show();
}

// The page leaves a draft, and comes to another one.
export function leave(draft) {
  kept.set(draft, clips);
  clips = [];
}

// The chat that a new page's draft was for has been made meanwhile.
export function rename(draft, to) {
  if (kept.has(draft)) kept.set(to, kept.get(draft));
  kept.delete(draft);
}

export function come(draft) {
  clips = kept.get(draft) ?? [];
  kept.delete(draft);
  show();
}

// Brings those of another draft here.
export function bring(draft) {
  clips.push(...(kept.get(draft) ?? []));
  kept.delete(draft);
  show();
}

// What is to be sent now; more can be added meanwhile.
export const chosen = () => ({ list: clips, sent: [...clips] });

export const NONE = { list: [], sent: [] };

export const discard = ({ list, sent }) => drop(list, sent);

// Stores the images, and returns the fragments of the message.
export async function toFragments({ sent }) {
  const fragments = [];
  for (const clip of sent) {
    await clip.reading;
    if (clip.problem) throw new Error(`Not sent: ${clip.name} could not be read. Try it again, or remove it.`);
    fragments.push(clip.isImage ? await imageFragment(clip) : textFragment(clip));
  }
  return fragments;
}

const attachment = (clip, part) => ({ ft: "attachment", fId: randomId(8), title: clip.name, caption: "", created: Date.now(), part });

function textFragment(clip) {
  const ending = endingOf(clip.name);
  const isPlain = ["txt", "md", "log"].includes(ending) || clip.mimeType;
  return attachment(clip, {
    pt: "doc",
    vdt: isPlain && clip.mimeType !== documents.SOURCE ? PLAIN : CODE,
    data: { idt: "text", text: clip.text, mimeType: clip.mimeType ?? TEXTS[ending] },
    ref: clip.name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "document",
    l1Title: clip.name,
    version: 1,
    meta: { srcFileName: clip.name, srcFileSize: clip.file.size, ...(clip.kind === "pdf" ? { srcOcrFrom: "pdf" } : {}) },
  });
}

async function imageFragment(clip) {
  const { file, name, width, height } = clip;
  const base64 = await toBase64(file);
  const now = new Date().toISOString();
  const { data: asset } = await call("POST", "/api/assets", {
    id: randomId(21),
    contextId: "global",
    scopeId: "app-chat",
    assetType: "image",
    label: name,
    data: { mimeType: file.type, base64 },
    origin: { ot: "user", source: "attachment", media: "file", fileName: name },
    createdAt: now,
    updatedAt: now,
    metadata: { width, height },
    cache: {},
  });
  const dataRef = { reftype: "dblob", dblobAssetId: asset.id, mimeType: file.type, bytesSize: file.size };
  return attachment(clip, {
    pt: "reference",
    rt: "zync",
    zType: "asset",
    zUuid: uuidOf(asset.id),
    zRefSummary: { pt: "text", text: name },
    assetType: "image",
    _legacyImageRefPart: { pt: "image_ref", dataRef, altText: name, width, height },
  });
}

function toBase64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result.slice(reader.result.indexOf(",") + 1)));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}

// As big-AGI derives an asset's uuid from its id.
export function uuidOf(id) {
  const folded = new Uint8Array(16);
  for (let at = 0; at < id.length; at += 1) folded[at % 16] ^= id.charCodeAt(at) & 0xff;
  folded[6] = (folded[6] & 0x0f) | 0x40;
  folded[8] = (folded[8] & 0x3f) | 0x80;
  const hex = Array.from(folded, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

export function initAttachments() {
  const input = byId("files");
  const thread = byId("thread");
  input.accept = ACCEPTED;
  byId("attach").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    void add([...input.files]);
    input.value = "";
  });
  byId("message").addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    void add(files);
  });
  // Drafts of texts are stored, files are not.
  addEventListener("beforeunload", (event) => {
    if (reading || [clips, ...kept.values()].some(({ length }) => length)) event.preventDefault();
  });
  let depth = 0;
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (isOver) => thread.classList.toggle("is-over", isOver);
  thread.addEventListener("dragenter", (event) => {
    if (hasFiles(event)) mark(++depth > 0);
  });
  thread.addEventListener("dragleave", (event) => {
    if (hasFiles(event)) mark(--depth > 0);
  });
  thread.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  thread.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    mark(false);
    void add([...event.dataTransfer.files]);
  });
}
