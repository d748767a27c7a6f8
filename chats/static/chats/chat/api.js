// Calls of our own server: JSON in, JSON or a problem out. Each belongs to the visit on which it is made, or to the
// one that it is given (`chat-on-page.js`).

import { everywhere, here, seeOwn } from "./chat-on-page.js";
import { during } from "./busy.js";
import { noteLost, noteReached, OFFLINE } from "./network.js";
import { emit, page } from "./state.js";

const BUSY = "generation-running";

export class Problem extends Error {
  constructor(status, problem) {
    // The entry in Troubleshooting.
    const kind = (problem?.type ?? "").split("#")[1] ?? "";
    // To programs the server names it by its id.
    const busy = kind === BUSY ? "An answer is being written in this chat. Wait for it, or stop it." : "";
    super(busy || problem?.detail || problem?.title || `The server responded with ${status}.`);
    this.status = status;
    this.kind = kind;
    // What has to be undone first, the newest first, where an undo is refused for it.
    this.undoFirst = problem?.undo_first ?? [];
  }

  // Nothing was refused for good: the same can be tried again.
  get isPassing() {
    return this.status === 0 || this.status >= 500 || this.kind === BUSY;
  }
}

function cookie(name) {
  const found = document.cookie.split("; ").find((each) => each.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

// `isQuiet`: nobody waits for it, and no progress is shown.
export async function send(method, path, { body, headers = {}, visit = here(), signal = null, isQuiet = false } = {}) {
  const isRead = method === "GET";
  const request = { method, headers: { "X-Bigagi-Source": "chat", ...headers }, credentials: "same-origin" };
  // Nobody could tell whether a write that was broken off has arrived: only its own signal ends it.
  request.signal = isRead && signal ? AbortSignal.any([visit.signal, signal]) : isRead ? visit.signal : signal;
  if (!isRead) request.headers["X-CSRFToken"] = cookie(page.csrfCookie);
  if (body !== undefined) {
    // A file goes as it is.
    request.body = body instanceof Blob ? body : JSON.stringify(body);
    request.headers["Content-Type"] ??= method === "PATCH" ? "application/merge-patch+json" : "application/json";
  }
  let response;
  try {
    response = await (isQuiet ? fetch(path, request) : during(fetch(path, request)));
  } catch (error) {
    if (error.name === "AbortError") throw error;
    noteLost();
    throw new Problem(0, { detail: OFFLINE });
  }
  noteReached();
  if (response.redirected && new URL(response.url).pathname === "/sign-in") {
    // Signing in brings back to this page.
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.hash)}`);
    throw new Problem(401, { detail: "Your session has ended. Sign in again." });
  }
  if (!response.ok) {
    const type = response.headers.get("Content-Type") || "";
    const problem = type.includes("json") ? await response.json().catch(() => null) : null;
    if (isRead) visit.signal.throwIfAborted();
    if (response.status === 404 && visit.isHere && visit.chat && path.startsWith(chatPath(visit.chat))) emit("missing");
    throw new Problem(response.status, problem);
  }
  return response;
}

let writes = 0;
let looking = new AbortController();

export const isWriting = () => writes > 0;

// Ends what is read in passing once the person writes: a chat that is deleted would be asked for in vain.
export const untilWritten = () => looking.signal;

export async function call(method, path, body, { visit = here(), ...options } = {}) {
  const isWrite = method !== "GET";
  writes += isWrite;
  if (isWrite) {
    looking.abort();
    looking = new AbortController();
  }
  let response;
  try {
    response = await send(method, path, { body, visit, ...options });
  } finally {
    writes -= isWrite;
  }
  const etag = /-(\d+)"$/.exec(response.headers.get("ETag") || "");
  // A chat's own writes are no news to this page. What others wrote before them is.
  if (isWrite && etag && visit.chat && path.startsWith(chatPath(visit.chat))) seeOwn(visit, Number(etag[1]), 1);
  const change = response.headers.get("Bigagi-Change");
  const text = await read(response, isWrite ? everywhere : visit);
  return { data: text ? JSON.parse(text) : null, change, etag: response.headers.get("ETag") };
}

const REWRITES = 4;

// Reads a record and writes what `edit` makes of it; reads it again where somebody else wrote in between.
export async function rewrite(path, edit) {
  for (let tries = 1; ; tries += 1) {
    const { data, etag } = await call("GET", path, undefined, { visit: everywhere });
    delete data._server;
    try {
      return await call("PUT", path, edit(data), { headers: etag ? { "If-Match": etag } : {} });
    } catch (error) {
      if (error.status !== 412 || tries === REWRITES) throw error;
    }
  }
}

export async function getText(path, { visit = here(), ...options } = {}) {
  return read(await send("GET", path, { visit, ...options }), visit);
}

async function read(response, visit) {
  try {
    return await visit.whileHere(response.text());
  } catch (error) {
    if (error.name === "AbortError") throw error;
    noteLost();
    throw new Problem(0, { detail: OFFLINE });
  }
}

const RESERVED = new Set(["bulk", "export", "search", "init", "order", "events", ".", ".."]);

// As the server writes ids into paths (`stores.api.ids`).
export function segmentOf(id) {
  if (/^[A-Za-z0-9_\-.:]+$/.test(id) && !RESERVED.has(id)) return id;
  if (id.includes("/") || RESERVED.has(id) || id.startsWith("~")) {
    const bytes = String.fromCharCode(...new TextEncoder().encode(id));
    return `~${btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
  }
  return encodeURIComponent(id);
}

export const chatPath = (id) => `/api/chats/${segmentOf(id)}`;
export const messagePath = (chat, id) => `${chatPath(chat)}/messages/${segmentOf(id)}`;
export const folderPath = (id) => `/api/folders/${segmentOf(id)}`;
export const servicePath = (id) => `/api/services/${segmentOf(id)}`;
export const modelPath = (id) => `/api/llms/${segmentOf(id)}`;
export const personaPath = (id) => `/api/personas/${segmentOf(id)}`;
export const adminPath = (id) => `${page.admin}of/${segmentOf(id)}/`;
export const pagePath = (id) => (id ? `${page.page}/${segmentOf(id)}` : page.page);
