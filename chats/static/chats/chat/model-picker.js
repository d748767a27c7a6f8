// The choice of a model: found by name, with context size and price.

import { call } from "./api.js";
import { byId, el } from "./dom.js";
import { emit, memory, on, page } from "./state.js";
import { fail } from "./toasts.js";

export const models = new Map();
const dialog = byId("models");
const find = byId("models-find");
const list = byId("models-list");
let services = [];
let active = -1;
let isPressed = false;

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

// Resolves to whether there is anything else to choose from than before.
async function load() {
  const before = JSON.stringify(services);
  services = (await call("GET", "/chat-parts/models")).data.services;
  if (JSON.stringify(services) === before) return false;
  models.clear();
  for (const service of services) {
    for (const model of service.models) models.set(model.id, { ...model, service });
  }
  return true;
}

export function choose(id) {
  const model = models.get(id);
  if (!model) return;
  const { label, service, context } = model;
  page.model = { id, label, serviceId: service.id, context };
  memory.set(`model:${page.chat?.id ?? "new"}`, id);
  show();
  emit("model");
}

function show() {
  byId("model-label").textContent = page.model.label;
}

// The choice that this browser made for the chat; without one the server's holds.
function restore() {
  const id = memory.get(`model:${page.chat?.id ?? "new"}`);
  if (id && models.has(id)) choose(id);
  else show();
}

const price = ({ input, output }) => {
  if (input === "free" && output === "free") return "free";
  if (typeof input !== "number" && typeof output !== "number") return "";
  const one = (value) => (typeof value === "number" ? `$${value}` : (value ?? "?"));
  return `${one(input)} / ${one(output)}`;
};

function render() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (model, service) => {
    const text = `${model.label} ${model.id} ${service.label}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const groups = [];
  for (const service of services) {
    const found = service.models.filter((model) => fits(model, service)).sort((one, other) => other.starred - one.starred);
    if (!found.length) continue;
    const id = `service-${groups.length}`;
    groups.push(
      el(
        "div",
        { role: "group", "aria-labelledby": id, class: "models-group" },
        el("h3", { id }, service.label, el("small", { class: service.whyNot ? "is-bad" : "" }, service.whyNot || service.status)),
        ...found.map((model) => option(model, service)),
      ),
    );
  }
  list.replaceChildren(...(groups.length ? groups : [el("p", { class: "chats-none" }, "No matching models.")]));
  const rows = options();
  const here = rows.findIndex((row) => row.dataset.model === page.model.id);
  activate(words.length ? 0 : Math.max(0, here));
}

let made = 0;

function option(model, service) {
  const facts = [model.context ? `${compact.format(model.context)} context` : "", model.vision ? "accepts images" : "", price(model)];
  return el(
    "div",
    {
      role: "option",
      id: `model-${++made}`,
      class: "model-row",
      "data-model": model.id,
      "aria-selected": String(model.id === page.model.id),
      "aria-disabled": service.whyNot ? "true" : null,
      title: service.whyNot || model.description || model.id,
    },
    el("span", { class: "model-name" }, model.starred ? "★ " : "", model.label, model.description && service.id === "bigagi-demo" ? el("small", {}, model.description) : null),
    el("span", { class: "model-facts" }, facts.filter(Boolean).join(" · ")),
  );
}

const options = () => [...list.querySelectorAll("[role=option]")];

function activate(at) {
  const rows = options();
  active = rows.length ? (at + rows.length) % rows.length : -1;
  rows.forEach((row, place) => row.classList.toggle("is-active", place === active));
  rows[active]?.scrollIntoView({ block: "nearest" });
  if (rows[active]) find.setAttribute("aria-activedescendant", rows[active].id);
}

function take(row) {
  if (!row || row.getAttribute("aria-disabled")) return;
  choose(row.dataset.model);
  dialog.close();
  byId("message").focus();
}

export async function openPicker() {
  find.value = "";
  dialog.showModal();
  render();
  find.focus();
  try {
    if (!(await load())) return;
    // A row that goes between press and release is never clicked.
    while (isPressed) await new Promise((resolve) => setTimeout(resolve, 50));
    render();
  } catch (error) {
    fail(error);
  }
}

export function initModelPicker() {
  byId("model").addEventListener("click", () => void openPicker());
  find.addEventListener("input", render);
  find.addEventListener("keydown", (event) => {
    const to = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: Math.min(active + 8, options().length - 1), PageUp: Math.max(0, active - 8) }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      activate(to);
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(options()[active]);
    }
  });
  list.addEventListener("pointerdown", () => {
    isPressed = true;
    // The click comes after the release.
    const release = () => setTimeout(() => (isPressed = false));
    addEventListener("pointerup", release, { once: true });
    addEventListener("pointercancel", release, { once: true });
  });
  list.addEventListener("click", (event) => take(event.target.closest("[role=option]")));
  on("chat", restore);
  on("made", () => memory.set(`model:${page.chat.id}`, page.model.id));
  return load().then(restore, fail);
}
