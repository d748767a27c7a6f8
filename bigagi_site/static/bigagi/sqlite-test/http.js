// Calls of our own server that can be looked at afterwards: what was sent, what came, and how long it took.

import { page } from "../../chats/chat/state.js";

function cookie(name) {
  const found = document.cookie.split("; ").find((each) => each.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

const TYPES = { PATCH: "application/merge-patch+json" };

// Returns {method, path, sent, status, ms, firstMs, requestId, type, headers, text, json, role}. It rejects only when
// the server cannot be reached, or `signal` says stop. A write that has been sent is waited for even then: the server
// may carry it out at any time, also after what it made was looked for and deleted. `role` is call, check or clean;
// times are in ms.
export async function exchange(method, path, { body, headers = {}, signal, role = "call", source = "test" } = {}) {
  const sent = body === undefined ? "" : JSON.stringify(body);
  const isWrite = method !== "GET" && method !== "HEAD";
  const request = {
    method,
    signal: isWrite ? undefined : signal,
    credentials: "same-origin",
    cache: "no-store",
    headers: { "X-Bigagi-Source": source, ...headers },
  };
  if (isWrite) request.headers["X-CSRFToken"] = cookie(page.csrfCookie);
  if (sent) {
    request.body = sent;
    request.headers["Content-Type"] ??= TYPES[method] ?? "application/json";
  }
  signal?.throwIfAborted();
  const began = performance.now();
  const response = await fetch(path, request);
  const { text, firstMs } = await read(response, began, signal);
  return {
    ...{ method, path, sent, role, text, firstMs, at: new Date().toISOString() },
    ms: performance.now() - began,
    status: response.status,
    requestId: response.headers.get("X-Request-ID") ?? "",
    type: response.headers.get("Content-Type") ?? "",
    headers: response.headers,
    json: parse(text),
  };
}

// The whole body, and when its first piece came: a stream's comes long before its last.
async function read(response, began, signal) {
  const reader = response.body?.pipeThrough(new TextDecoderStream(), { signal }).getReader();
  const pieces = [];
  let firstMs = 0;
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    firstMs ||= performance.now() - began;
    pieces.push(value);
  }
  return { text: pieces.join(""), firstMs };
}

function parse(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return undefined;
  }
}

// The events of a stream that came whole: [{name, data}].
export function readEvents(text) {
  return text
    .split("\n\n")
    .map((frame) => ({
      name: /^event: (.*)$/m.exec(frame)?.[1] ?? "",
      data: parse(/^data: (.*)$/m.exec(frame)?.[1] ?? ""),
    }))
    .filter(({ name, data }) => name && data);
}

// All records of a list, over at most `most` pages. Throws where the list cannot be had.
export async function listAll(path, { most = 20, ...options } = {}) {
  const found = [];
  for (let next = path, pages = 0; next && pages < most; pages += 1) {
    const { status, json } = await exchange("GET", next, { role: "check", ...options });
    if (status !== 200) throw new Error(`GET ${path} returned ${status}.`);
    found.push(...json.results);
    const url = json.next && new URL(json.next, location.href);
    next = url && `${url.pathname}${url.search}`;
  }
  return found;
}

// Rows of a read-only query. Throws where the SQL box cannot answer.
export async function query(sql, parameters = [], options = {}) {
  const answer = await exchange("POST", page.sql, { body: { sql, parameters }, role: "check", ...options });
  if (answer.status !== 200)
    throw new Error(`The SQL box returned ${answer.status}: ${answer.json?.detail ?? answer.text.slice(0, 200)}`);
  return { rows: answer.json.rows, answer };
}
