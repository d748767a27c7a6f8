// The choice of a model: found by any word, favourites and the last used first. Only the rows on screen are in the page.

import { call, modelPath, send } from "./api.js";
import { everywhere } from "./chat-on-page.js";
import { byId, el } from "./dom.js";
import { heightOf, isOption, placesOf, priceOf, search, sizeOf, windowOf } from "./model-search.js";
import { whenReleased } from "./press.js";
import { emit, memory, on, page } from "./state.js";
import { fail } from "./toasts.js";

export const models = new Map();
const dialog = byId("models");
const find = byId("models-find");
const list = byId("models-list");
const space = el("div", { class: "models-space", role: "presentation" });
const RECENT = 5;
const LIST = "/chat-parts/models";
const DEMO = "bigagi-demo";
let services = [];
let etag = null;
let hidden = null;
let hiddenCount = 0;
let rows = [];
let places = [0];
// The rows that are models, and the place of each of them among all models.
let options = [];
let placeOf = new Map();
let active = -1;
// What is done with the model that is taken, beside choosing it.
let then = null;

const recent = () => (memory.get("models") ?? "").split("\n").filter(Boolean);

// Resolves to whether there is anything else to choose from than before.
async function load() {
  // The browser keeps the list, and asks with its ETag: a list that is the same is neither sent nor read again.
  const response = await send("GET", LIST, { visit: everywhere, isQuiet: true });
  const now = response.headers.get("ETag");
  if (now && now === etag) return false;
  const data = await response.json();
  etag = now;
  services = data.services;
  hiddenCount = data.hidden;
  models.clear();
  for (const service of services) {
    for (const model of service.models) models.set(model.id, { ...model, service });
  }
  return true;
}

export function choose(id) {
  const model = models.get(id);
  if (!model) return;
  keepChoice(nameOf(page.chat?.id), id);
  use(model);
}

function use({ id, label, service, context }) {
  page.model = { id, label, serviceId: service.id, context, isDemo: service.id === DEMO };
  show();
  emit("model");
}

function show() {
  byId("model-label").textContent = page.model.label;
  const { instead } = page.offered;
  const isOther = Boolean(instead) && page.model.id === page.offered.id;
  byId("model-note").hidden = !isOther;
  byId("model-note").textContent = isOther ? `${instead} ${page.model.label} is chosen now.` : "";
  for (const each of document.querySelectorAll("[data-demo]")) each.hidden = !page.model.isDemo;
}

// --- the choice for a chat -------------------------------------------------------------------------------------------
// A chat keeps the model of its last reply, which the server knows. Until there is a reply, this browser keeps what was
// chosen; and what it was chosen instead of: when that is another one, a newer reply or assignment has spoken.

const nameOf = (chat) => `model:${chat ?? "new"}`;
const readChoice = (name) => (memory.get(name) ?? "").split("\n");

function keepChoice(name, id) {
  const { offered } = page;
  memory.set(name, id === offered.id ? "" : `${id}\n${offered.id}`);
}

function restore() {
  const [id, instead] = readChoice(nameOf(page.chat?.id));
  if (id && models.has(id) && (!instead || instead === page.offered.id)) use(models.get(id));
  else {
    show();
    // What it costs is known now.
    emit("model");
  }
}

// Returns what gives a branch the model of the chat that is here: as it was chosen, or where no reply came along.
export function carryChoice() {
  const { id } = page.model;
  const isChosen = id !== page.offered.id;
  return (branch) => {
    const hasReply = branch.messages?.some((message) => message?.role === "assistant" && message.generator?.aix?.mId);
    if (isChosen || !hasReply) memory.set(nameOf(branch.id), id);
  };
}

function noteUse({ model }) {
  const { id } = page.model;
  memory.set("models", [id, ...recent().filter((each) => each !== id)].slice(0, RECENT).join("\n"));
  if (model.id !== id) return;
  // Now its last reply has it.
  memory.set(nameOf(page.chat?.id), null);
  page.offered = { ...page.model };
  show();
}

// --- the list --------------------------------------------------------------------------------------------------------

function render() {
  rows = search(services, find.value, { recent: recent(), hidden });
  places = placesOf(rows);
  options = rows.flatMap((row, at) => (isOption(row) ? [at] : []));
  placeOf = new Map(options.map((at, index) => [at, index + 1]));
  space.style.height = `${places.at(-1)}px`;
  list.replaceChildren(...(rows.length ? [space] : [el("p", { class: "chats-none" }, "No matching models.")]));
  byId("models-hidden").hidden = Boolean(hidden) || !hiddenCount;
  byId("models-hidden-count").textContent = `${hiddenCount} hidden ${hiddenCount === 1 ? "model" : "models"}.`;
  const typed = find.value.trim().toLowerCase();
  // Who types a whole name means that one, and not one that begins so and was used last.
  const meant = options.find((at) => (typed ? rows[at].model.label.toLowerCase() === typed : rows[at].model.id === page.model.id));
  activate(meant ?? options[0]);
}

// Puts those rows into the page that are on screen, and the active one, which a screen reader reads wherever it is.
function draw() {
  const { first, last } = windowOf(places, list.scrollTop, list.clientHeight);
  const shown = Array.from({ length: last - first }, (_, index) => first + index);
  if (active >= 0 && active < first) shown.unshift(active);
  else if (active >= last) shown.push(active);
  const drawn = shown.map((at) => {
    const element = isOption(rows[at]) ? option(rows[at], at) : heading(rows[at]);
    element.style.top = `${places[at]}px`;
    element.style.height = `${heightOf(rows[at])}px`;
    return element;
  });
  space.replaceChildren(...drawn);
  const element = byId(`model-${active}`);
  if (element) find.setAttribute("aria-activedescendant", element.id);
  else find.removeAttribute("aria-activedescendant");
}

function heading({ label, note, isBad }) {
  return el("div", { class: "models-heading", role: "presentation" }, label, el("small", { class: isBad ? "is-bad" : "" }, note));
}

function option({ model, service, isHidden }, at) {
  const facts = [model.context ? `${sizeOf(model.context)} context` : "", model.vision ? "images" : "", priceOf(model)];
  const note = isHidden ? model.hiddenReason || "Hidden by you." : service.id === "bigagi-demo" ? model.description : "";
  return el(
    "div",
    {
      role: "option",
      id: `model-${at}`,
      class: `model-row${at === active ? " is-active" : ""}${isHidden ? " is-hidden" : ""}`,
      "data-model": model.id,
      "data-at": at,
      "aria-selected": String(model.id === page.model.id),
      "aria-disabled": service.whyNot ? "true" : null,
      "aria-posinset": placeOf.get(at),
      "aria-setsize": options.length,
      "aria-description": service.label,
      title: service.whyNot || model.description || model.id,
    },
    service.isVirtual || isHidden
      ? el("span", { class: "model-star" })
      : el("span", { class: "model-star", "data-star": "", title: "Favourite (Alt+S)", "aria-hidden": "true" }, model.starred ? "★" : "☆"),
    el("span", { class: "model-name" }, model.label, model.starred ? el("span", { class: "visually-hidden" }, ", favourite") : null, note ? el("small", {}, note) : null),
    el("span", { class: "model-facts" }, ...facts.filter(Boolean).map((fact, place) => el("span", {}, place ? ` · ${fact}` : fact))),
  );
}

function activate(at) {
  active = at ?? -1;
  if (active >= 0) {
    const [top, bottom] = [places[active], places[active + 1]];
    // The heading of a group is shown with its first model.
    const from = active && !isOption(rows[active - 1]) ? places[active - 1] : top;
    if (from < list.scrollTop) list.scrollTop = from;
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
  }
  draw();
}

function move(steps, { wraps = false } = {}) {
  if (!options.length) return;
  const to = options.indexOf(active) + steps;
  const last = options.length - 1;
  activate(options[wraps ? (to + options.length) % options.length : Math.max(0, Math.min(last, to))]);
}

// --- what is done with a model ---------------------------------------------------------------------------------------

async function take(row) {
  if (!row || row.service.whyNot) return;
  if (row.isHidden) {
    try {
      await setModel(row.model, { userHidden: false });
      hidden = null;
    } catch (error) {
      fail(error);
      return;
    }
  }
  choose(row.model.id);
  dialog.close();
  if (then) then();
  else byId("message").focus();
}

const rowOf = (id) => rows.findIndex((row) => row.model?.id === id);

async function star(row, { byKey = false } = {}) {
  if (!row || row.isHidden || row.service.isVirtual) return;
  try {
    await setModel(row.model, { userStarred: !row.model.starred });
    const near = rows[rowOf(row.model.id) + 1]?.model?.id;
    const above = places[rowOf(near)] - list.scrollTop;
    render();
    if (byKey) activate(rowOf(row.model.id));
    else if (near) {
      // What is under the pointer stays there: a star leads nobody away from where he reads.
      list.scrollTop = places[rowOf(near)] - above;
      draw();
    }
    byId("models-said").textContent = `${row.model.label}: ${row.model.starred ? "no longer a favourite" : "favourite"}.`;
  } catch (error) {
    fail(error);
  }
}

async function setModel(model, members) {
  await call("PATCH", modelPath(model.id), members);
  await load();
}

async function showHidden() {
  try {
    hidden = (await call("GET", `${LIST}?hidden=1`, undefined, { visit: everywhere })).data.services;
    render();
    activate(rows.findIndex((row) => row.isHidden));
  } catch (error) {
    fail(error);
  }
  find.focus();
}

export async function openPicker(next = null) {
  then = next;
  find.value = "";
  hidden = null;
  dialog.showModal();
  render();
  find.focus();
  try {
    if (!(await load())) return;
    whenReleased(render);
  } catch (error) {
    fail(error);
  }
}

const KEYS = {
  ArrowDown: () => move(1, { wraps: true }),
  ArrowUp: () => move(-1, { wraps: true }),
  PageDown: () => move(8),
  PageUp: () => move(-8),
  Enter: () => void take(rows[active]),
};

export function initModelPicker() {
  byId("model").addEventListener("click", () => void openPicker());
  byId("show-hidden").addEventListener("click", () => void showHidden());
  find.addEventListener("input", render);
  find.addEventListener("keydown", (event) => {
    const act = event.altKey && event.code === "KeyS" ? () => void star(rows[active], { byKey: true }) : KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  list.addEventListener("scroll", draw, { passive: true });
  list.addEventListener("click", ({ target }) => {
    const row = rows[Number(target.closest("[role=option]")?.dataset.at ?? -1)];
    if (target.closest("[data-star]")) void star(row);
    else void take(row);
  });
  on("chat", restore);
  on("begun", noteUse);
  on("made", () => memory.set(nameOf(page.chat.id), page.model.id));
  return load().then(restore, fail);
}
