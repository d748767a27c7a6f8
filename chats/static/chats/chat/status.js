// The service of the chosen model: whether it has a key, how its last check went, and a check on the spot.

import { call, servicePath } from "./api.js";
import { byId } from "./dom.js";
import { alarm, say } from "./live.js";
import { on, page } from "./state.js";
import { fail } from "./toasts.js";

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const box = byId("status");
const button = byId("check-now");
let checking = "";

const timeOf = (at) => (new Date(at).toDateString() === new Date().toDateString() ? TIME : DATE).format(new Date(at));

// `error` is what the check said just now; the server remembers only its kind.
function show(error = "") {
  const { label, status, whyNot, lastCheck } = page.service;
  byId("status-text").textContent = whyNot || `${label}: ${status}`;
  byId("cannot-send").hidden = !whyNot;
  byId("why-not").textContent = whyNot;
  let told = lastCheck ? `Checked ${timeOf(lastCheck.at)}: ${lastCheck.words}.` : "Not checked yet.";
  // Why there can be no check stands above.
  if (whyNot) told = "";
  else if (error) told = `Checked ${TIME.format(new Date())}: ${error}`;
  byId("status-check").textContent = checking === page.service.id ? "Checking…" : told;
  // A disabled button would lose the focus.
  button.setAttribute("aria-disabled", String(Boolean(checking)));
  box.classList.toggle("is-bad", Boolean(whyNot || error || lastCheck?.isGood === false));
  // What is wrong is mended there.
  byId("to-services").hidden = !box.classList.contains("is-bad");
  box.classList.toggle("is-good", Boolean(!whyNot && !error && lastCheck?.isGood));
  return byId("status-check").textContent;
}

// Never what was told of another service.
function clear() {
  byId("status-text").textContent = "…";
  byId("status-check").textContent = "";
  byId("cannot-send").hidden = true;
  box.classList.remove("is-bad", "is-good");
}

async function read(id) {
  const { data } = await call("GET", `/chat-parts/status?${new URLSearchParams({ service: id })}`, undefined, { isQuiet: true });
  if (page.model.serviceId !== id) return false;
  page.service = data;
  return true;
}

async function follow() {
  const id = page.model.serviceId;
  try {
    if (page.service?.id !== id) clear();
    if (page.service?.id === id || (await read(id))) show();
  } catch (error) {
    fail(error);
  }
}

// Resolves to why the chosen model cannot be asked; empty where it can. Somebody may have mended it since it was read.
export async function readWhyNot(visit) {
  const id = page.model.serviceId;
  if (page.service?.id !== id || !page.service.whyNot) return "";
  try {
    if (await read(id)) show();
  } catch (error) {
    // The server says it again, of what is sent after the page has gone on.
    if (visit.isHere) throw error;
    return "";
  }
  return page.service?.id === id ? page.service.whyNot : "";
}

async function check() {
  if (checking) return;
  const { id, label } = page.service;
  checking = id;
  show();
  say(`Checking ${label}.`);
  let wrong = "";
  try {
    await call("POST", `${servicePath(id)}/test`, {});
  } catch (error) {
    wrong = error.message;
  }
  checking = "";
  try {
    if (await read(id)) (wrong ? alarm : say)(`${label}. ${show(wrong) || wrong}`);
    else show();
  } catch {
    // The check has said already what is wrong.
    alarm(show(wrong));
  }
}

export function initStatus() {
  button.addEventListener("click", () => void check());
  on("model", () => void follow());
  on("chat", () => void follow());
  show();
}
