// The page of services: lists, adds, edits, deletes (with undo), tests and refreshes them through the API.

const vendors = JSON.parse(document.getElementById("vendors").textContent);
const list = document.getElementById("services");
const form = document.getElementById("service-form");
const status = document.getElementById("status");
const fields = form.elements;
let edited = null;

class Refused extends Error {}

async function ask(method, path, body) {
  const token = document.cookie.match(/(?:^|; )bigagi_csrf=([^;]*)/)?.[1] ?? "";
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refused("Cannot reach the server. Check that it is running, and try again.");
  }
  const text = await answer.text();
  const value = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Refused(value?.detail ?? `The server responded with ${answer.status}.`);
  return { value, change: answer.headers.get("Bigagi-Change") };
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

export function vendorOf(id) {
  return vendors.find((vendor) => vendor.id === id);
}

export function factsOf(service) {
  const vendor = vendorOf(service.vId);
  const setup = service.setup ?? {};
  const isKey = (name) => /(key|token)$/i.test(name);
  const keys = Object.entries(setup).filter(([name, value]) => isKey(name) && value);
  const marker = keys.length ? String(keys[0][1]) : "";
  const last = marker.startsWith("bigagi-secret:") ? marker.slice("bigagi-secret:".length) : "";
  const hosts = Object.entries(setup).filter(([name, value]) => /(host|endpoint)$/i.test(name) && value);
  const key = keys.length
    ? `key saved${last ? ` (ends in ${last})` : ""}`
    : service._server.virtual
      ? service.vId === "bigagi" ? "needs no key" : "key from the environment"
      : vendor && !vendor.needsKey ? "needs no key" : "no key";
  const count = service._server.modelCount;
  return [
    vendor?.label ?? service.vId ?? "unknown provider",
    hosts.length ? String(hosts[0][1]) : vendor?.host || "",
    key,
    `${count} ${count === 1 ? "model" : "models"}`,
  ].filter(Boolean);
}

function quietButton(text, act) {
  const button = make("button", "button button-quiet", text);
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}

function say(text) {
  status.hidden = false;
  status.replaceChildren(text);
}

// Does it, or tells why not.
const attempt = (work) => work().catch((error) => say(error.message));

// Tells of a change, and takes it back: then `undone` is told. `after` shows what came of either.
async function change(method, path, body, { done, undone, after }) {
  const made = await ask(method, path, body);
  await after();
  say(done);
  const undo = async () => {
    await ask("POST", `/api/changes/${made.change}/undo`, {});
    await after();
    say(undone);
  };
  status.append(quietButton("Undo", () => attempt(undo)));
  status.querySelector("button").focus();
}

function describeRefresh({ added, kept, vanished, leftOut }) {
  const names = (ids) => (ids.length > 8 ? `${ids.slice(0, 8).join(", ")} and ${ids.length - 8} more` : ids.join(", "));
  const parts = [`${added.length} added${added.length ? `: ${names(added)}` : ""}`, `${kept.length} kept`];
  if (vanished.length) parts.push(`${vanished.length} no longer offered, kept but hidden: ${names(vanished)}`);
  const hidden = leftOut.filter(({ id }) => id !== null);
  if (hidden.length) parts.push(`${hidden.length} left out, see hidden models: ${names(hidden.map(({ ref }) => ref))}`);
  for (const { ref, reason } of leftOut.filter(({ id }) => id === null)) parts.push(`${ref} was not added: ${reason.replace(/\.$/, "")}`);
  return `${parts.join(" · ")}.`;
}

async function act(button, told, work) {
  const before = button.textContent;
  button.disabled = true;
  button.textContent = `${before}…`;
  told.className = "service-told";
  told.textContent = "";
  try {
    told.textContent = await work();
    told.classList.add("notice");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    told.textContent = error.message;
    told.classList.add("error");
  } finally {
    button.disabled = false;
    button.textContent = before;
  }
}

// The models of a service that are not offered, each with the reason; read when they are looked at.
function hiddenModels(service, refresh) {
  const count = service._server.hiddenCount;
  const box = make("details", "service-hidden");
  box.hidden = !count;
  const shown = make("ul");
  box.append(make("summary", "", `${count} hidden ${count === 1 ? "model" : "models"}`), shown);
  box.addEventListener("toggle", async () => {
    if (!box.open || shown.childElementCount) return;
    try {
      const { value } = await ask("GET", `/api/llms?hidden=true&service=${encodeURIComponent(service.id)}`);
      shown.replaceChildren(...value.llms.map((model) => hiddenModel(model, refresh)));
    } catch (error) {
      shown.replaceChildren(make("li", "error", error.message));
    }
  });
  return box;
}

function hiddenModel(model, refresh) {
  const name = model._server.effective.label || model.id;
  const item = make("li");
  const told = { done: `${name} is in the list of models now.`, undone: `${name} is hidden.`, after: refresh };
  const button = quietButton("Show", () => attempt(() => change("PATCH", model._server.href, { userHidden: false }, told)));
  button.setAttribute("aria-label", `Show ${name}`);
  const reason = model.userHidden === true ? "You hid it." : model.hiddenReason || "big-AGI or its provider hides it.";
  item.append(make("span", "", name), make("span", "quiet", reason), button);
  return item;
}

function show(service) {
  const name = service.label || service.id;
  const item = make("li");
  item.dataset.service = service.id;
  item.append(make("h2", "", name));
  const facts = make("p", "service-facts");
  for (const fact of factsOf(service)) facts.append(make("span", "", fact));
  const told = make("p", "service-told");
  told.setAttribute("role", "status");
  const acts = make("div", "service-acts");
  const add = (text, work) => {
    const button = quietButton(text, () => work(button));
    button.setAttribute("aria-label", `${text} ${name}`);
    acts.append(button);
  };
  const href = service._server.href;
  let unseen = hiddenModels(service, refreshFacts);
  async function refreshFacts() {
    const fresh = (await ask("GET", href)).value;
    facts.replaceChildren(...factsOf(fresh).map((fact) => make("span", "", fact)));
    const renewed = hiddenModels(fresh, refreshFacts);
    renewed.open = unseen.open && !renewed.hidden;
    unseen.replaceWith(renewed);
    unseen = renewed;
  }
  add("Test", (button) =>
    act(button, told, async () => {
      const { value } = await ask("POST", `${href}/test`, {});
      return `${value.model} responded after ${value.ms_to_first_token} ms (${value.ms_total} ms in total): ${value.text.slice(0, 80)}`;
    }),
  );
  if (service.vId !== "bigagi") {
    add("Refresh models", (button) =>
      act(button, told, async () => {
        const { value } = await ask("POST", `${href}/refresh`, {});
        await refreshFacts();
        return describeRefresh(value);
      }),
    );
  }
  if (!service._server.virtual) {
    add("Edit", () => edit(service));
    add("Delete", () => remove(service, name));
  }
  item.append(facts, acts, told, unseen);
  return item;
}

async function load() {
  const services = [];
  for (let path = "/api/services?page_size=200"; path; ) {
    const { value } = await ask("GET", path);
    services.push(...value.results);
    path = value.next;
  }
  list.replaceChildren(...services.map(show));
  list.removeAttribute("aria-busy");
}

function remove(service, name) {
  const told = { done: `${name} and its models were deleted.`, undone: `${name} was restored.`, after: load };
  return attempt(() => change("DELETE", service._server.href, undefined, told));
}

function suit() {
  const vendor = vendorOf(fields.vendor.value);
  document.getElementById("key-field").hidden = !vendor.key;
  document.getElementById("host-field").hidden = !vendor.hostKey;
  document.getElementById("host-label").textContent = vendor.hostLabel;
  fields.host.placeholder = vendor.host;
  document.getElementById("host-help").textContent = vendor.host
    ? `Empty: ${vendor.host}`
    : "The address of your own server or resource, as https://…";
  document.getElementById("key-help").textContent = edited
    ? "Leave empty to keep the saved key."
    : vendor.needsKey ? "" : "Most servers of this kind do not need one.";
  fields.label.placeholder = vendor.label;
}

function edit(service) {
  edited = service;
  const vendor = vendorOf(service.vId);
  if (vendor) fields.vendor.value = vendor.id;
  fields.vendor.disabled = true;
  fields.label.value = service.label ?? "";
  fields.key.value = "";
  fields.host.value = vendor?.hostKey ? (service.setup?.[vendor.hostKey] ?? "") : "";
  document.getElementById("form-title").textContent = `Edit ${service.label || service.id}`;
  document.getElementById("save").textContent = "Save service";
  document.getElementById("cancel").hidden = false;
  suit();
  fields.label.focus();
}

function reset() {
  edited = null;
  form.reset();
  fields.vendor.disabled = false;
  document.getElementById("form-title").textContent = "Add a service";
  document.getElementById("save").textContent = "Add service";
  document.getElementById("cancel").hidden = true;
  document.getElementById("form-error").hidden = true;
  suit();
}

async function save(event) {
  event.preventDefault();
  const error = document.getElementById("form-error");
  const vendor = vendorOf(fields.vendor.value);
  const setup = {};
  if (vendor.key && fields.key.value.trim()) setup[vendor.key] = fields.key.value.trim();
  if (vendor.hostKey && (fields.host.value.trim() || edited)) setup[vendor.hostKey] = fields.host.value.trim();
  const record = { label: fields.label.value.trim() || vendor.label, setup };
  try {
    error.hidden = true;
    const { value } = edited
      ? await ask("PATCH", edited._server.href, record)
      : await ask("POST", "/api/services", { vId: vendor.id, ...record });
    const word = edited ? "saved" : "added. Test it, then refresh its models";
    reset();
    await load();
    say([`${value.label} was ${word}.`, ...(value._server?.notes ?? [])].join(" "));
    list.querySelector(`[data-service="${CSS.escape(value.id)}"] button`)?.focus();
  } catch (refused) {
    error.textContent = refused.message;
    error.hidden = false;
  }
}

fields.vendor.addEventListener("change", suit);
form.addEventListener("submit", save);
document.getElementById("cancel").addEventListener("click", reset);
form.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && edited) reset();
});
fields.vendor.value = "openai";
for (const option of fields.vendor.options) option.defaultSelected = option.value === "openai";
suit();
void attempt(load);
