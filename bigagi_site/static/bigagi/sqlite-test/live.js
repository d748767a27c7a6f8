// The tab that follows: requests to the API, and changes, the newest on top. It asks while somebody can see it.

import { page } from "../../chats/chat/state.js";
import { byId, el } from "../../chats/chat/dom.js";
import { exchange } from "./http.js";

const EVERY = 1000;
const AFTER_FAULT = 4000;
const KEPT = 300;
const FIRST = 50;
const PAGE = 100;
const MOST_PAGES = 3;
// By which the log's lines of this tab's own questions are known.
const OWN = "live-";
const TIME = new Intl.DateTimeFormat(undefined, {
  ...{ hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" },
  timeZone: document.documentElement.dataset.zone || undefined,
});

const requests = { lines: [], last: 0 };
const changes = { lines: [], last: 0 };
let panel = null;
let timer = 0;
let isPaused = false;
let asked = 0;

export function init(root) {
  panel = root;
  byId("live-pause").addEventListener("click", () => pause(!isPaused));
  byId("live-clear").addEventListener("click", clear);
  for (const id of ["live-route", "live-store", "live-own"]) byId(id).addEventListener("input", show);
  document.addEventListener("visibilitychange", wake);
  new MutationObserver(wake).observe(panel, { attributes: true, attributeFilter: ["hidden"] });
  wake();
}

const isSeen = () => !panel.hidden && document.visibilityState === "visible" && !isPaused;

function wake() {
  clearTimeout(timer);
  if (isSeen()) void look();
}

function pause(value) {
  isPaused = value;
  byId("live-pause").textContent = value ? "Resume" : "Pause";
  byId("live-pause").setAttribute("aria-pressed", String(value));
  tell(value ? "Paused. New entries are shown when you resume." : "Live.");
  wake();
}

function clear() {
  for (const each of [requests, changes]) each.lines = [];
  show();
}

function tell(text, isBad = false) {
  const status = byId("live-status");
  // Said again each second, it would be read out again each second.
  if (status.textContent !== text) status.textContent = text;
  status.classList.toggle("is-error", isBad);
}

// --- asking ----------------------------------------------------------------------------------------------------------

async function look() {
  clearTimeout(timer);
  let wait = EVERY;
  try {
    const isNew = [await readChanges(), await readRequests()].some(Boolean);
    if (isPaused) return;
    if (isNew) show();
    tell("Live.");
  } catch (error) {
    wait = AFTER_FAULT;
    tell(
      error.status === 401
        ? "You are signed out. Sign in again in another tab."
        : "The server does not respond. Trying again…",
      true,
    );
  }
  clearTimeout(timer);
  if (isSeen()) timer = setTimeout(() => void look(), wait);
}

async function ask(path) {
  asked += 1;
  const headers = { "X-Request-ID": `${OWN}${Date.now().toString(36)}-${asked}` };
  const { status, json } = await exchange("GET", path, { headers, role: "check" });
  if (status !== 200) throw Object.assign(new Error(path), { status });
  return json;
}

// Newest first; where much came at once, page after page.
async function readRequests() {
  const found = [];
  let next = `/api/requests?page_size=${PAGE}`;
  for (let pages = 0; next && pages < MOST_PAGES; pages += 1) {
    const { results, next: more } = await ask(next);
    found.push(...results.filter(({ id }) => id > requests.last));
    const foreign = found.filter((line) => !isOwn(line)).length;
    const isEnough = requests.last ? found.length < (pages + 1) * PAGE : foreign >= FIRST;
    const url = !isEnough && more && new URL(more, location.href);
    next = url && `${url.pathname}${url.search}`;
  }
  return keep(requests, found);
}

async function readChanges() {
  const path = changes.last
    ? `/api/changes?after=${changes.last}&ordering=id&page_size=${PAGE}`
    : `/api/changes?page_size=${FIRST}`;
  const { results } = await ask(path);
  return keep(
    changes,
    results.sort((one, other) => other.id - one.id),
  );
}

function keep(list, found) {
  if (isPaused || !found.length) return false;
  list.last = Math.max(list.last, ...found.map(({ id }) => id));
  list.lines = [...found, ...list.lines].slice(0, KEPT);
  return true;
}

const isOwn = ({ request_id: id }) => id.startsWith(OWN);

// --- showing ---------------------------------------------------------------------------------------------------------

function show() {
  const route = byId("live-route").value.trim();
  const store = byId("live-store").value.trim();
  const shown = requests.lines.filter(
    (line) => (byId("live-own").checked || !isOwn(line)) && line.route.startsWith(route),
  );
  paint(
    "live-requests",
    shown,
    requestLine,
    route ? `No requests to ${route}… yet.` : "No requests yet. Use the API in another tab or from a program.",
  );
  const stores = new Set(changes.lines.flatMap((line) => line.stores.split(" ")).filter(Boolean));
  fill("live-stores", stores);
  fill("live-routes", new Set(requests.lines.filter((line) => !isOwn(line)).map((line) => line.route)));
  const changed = changes.lines.filter(
    (line) => !store || line.stores.split(" ").some((name) => name.startsWith(store)),
  );
  paint("live-changes", changed, changeLine, store ? `No changes in ${store}… yet.` : "No changes yet.");
}

function fill(id, values) {
  byId(id).replaceChildren(...[...values].sort().map((value) => el("option", { value })));
}

function paint(id, lines, make, nothing) {
  const list = byId(id);
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const items = lines.map((line) => known.get(String(line.id)) ?? make(line));
  list.replaceChildren(...(items.length ? items : [el("li", { class: "quiet" }, nothing)]));
  byId(`${id}-count`).textContent = lines.length ? String(lines.length) : "";
}

const time = (at) => el("time", { dateTime: at, title: at }, TIME.format(new Date(at)));

function requestLine({ id, at, method, route, status, duration_ms: ms, query_count: queries, actor, error }) {
  const link = el(
    "a",
    { href: page.admin.request.replace("/0/", `/${id}/`), title: "Log entry" },
    `${method} ${route}`,
  );
  const facts = [`${Math.round(ms)} ms`, `${queries} quer${queries === 1 ? "y" : "ies"}`, actor, error]
    .filter(Boolean)
    .join(" · ");
  const code = el("span", { class: `live-status${status >= 400 ? " is-error" : ""}` }, String(status));
  return el("li", { "data-id": id }, time(at), code, link, el("span", { class: "quiet" }, facts));
}

function changeLine({ id, at, action, summary, stores, source, actor, record_count: count }) {
  const link = el(
    "a",
    { href: page.admin.change.replace("/0/", `/${id}/`), title: "Journal entry" },
    summary ? `${action}: ${summary}` : action,
  );
  const facts = [stores, `${count} record${count === 1 ? "" : "s"}`, source, actor].filter(Boolean).join(" · ");
  return el("li", { "data-id": id }, time(at), link, el("span", { class: "quiet" }, facts));
}
