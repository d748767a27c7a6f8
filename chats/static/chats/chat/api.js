// Calls of our own server: JSON in, JSON or a problem out.

import { page } from "./state.js";

export class Problem extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.title || `The server responded with ${status}.`);
    this.status = status;
    this.kind = problem?.kind || problem?.errors?.[0]?.code || "";
    this.type = problem?.type || "";
  }
}

export const OFFLINE = "Cannot reach the server. Is it running?";

function cookie(name) {
  const found = document.cookie.split("; ").find((each) => each.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

export async function send(method, path, { body, headers = {}, signal } = {}) {
  const request = { method, signal, headers: { "X-Bigagi-Source": "chat", ...headers }, credentials: "same-origin" };
  if (method !== "GET") request.headers["X-CSRFToken"] = cookie(page.csrfCookie);
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers["Content-Type"] ??= method === "PATCH" ? "application/merge-patch+json" : "application/json";
  }
  let response;
  try {
    response = await fetch(path, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: OFFLINE });
  }
  if (response.redirected && new URL(response.url).pathname === "/sign-in") {
    // The session is over: signing in brings back to this page.
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.hash)}`);
    throw new Problem(401, { detail: "Your session has ended. Your session has ended. Sign in again." });
  }
  if (!response.ok) {
    const type = response.headers.get("Content-Type") || "";
    throw new Problem(response.status, type.includes("json") ? await response.json().catch(() => null) : null);
  }
  return response;
}

let writes = 0;
let looking = new AbortController();

export const isWriting = () => writes > 0;

// Ends what is read in passing once the person writes: a chat that is deleted would be asked for in vain.
export const untilWritten = () => looking.signal;

export async function call(method, path, body) {
  const isWrite = method !== "GET";
  writes += isWrite;
  if (isWrite) {
    looking.abort();
    looking = new AbortController();
  }
  let response;
  try {
    response = await send(method, path, { body });
  } finally {
    writes -= isWrite;
  }
  const etag = /-(\d+)"$/.exec(response.headers.get("ETag") || "");
  // A chat's own writes are no news to this page. What others wrote before them is.
  if (isWrite && etag && page.chat && path.startsWith(chatPath(page.chat.id))) seeOwn(Number(etag[1]), 1);
  const change = response.headers.get("Bigagi-Change");
  const data = response.status === 204 ? null : await response.json();
  return { data, change };
}

// Takes a revision as seen that came of so many writes of this page, and of none of others.
export function seeOwn(revision, writes) {
  if (revision === page.chat.revision + writes) page.chat.revision = revision;
}

export async function getText(path, signal) {
  return (await send("GET", path, { signal })).text();
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
export const adminPath = (id) => `${page.admin}of/${segmentOf(id)}/`;
export const pagePath = (id) => (id ? `${page.page}/${segmentOf(id)}` : page.page);
