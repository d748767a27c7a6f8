// The services: whether each works, by one real call, and the one that the test of the round trip calls.

import { byId, el } from "../../chats/chat/dom.js";
import { exchange } from "./http.js";

const DEMO = "bigagi-demo";
const WORDS = { pass: "Works", fail: "Does not work", skip: "Not checked" };
const list = byId("services-status");
const select = byId("service");
const button = byId("check-status");

export const chosen = () => select.value || DEMO;

async function read(query) {
  const { status, json } = await exchange("GET", `/api/test-ai${query}`, { role: "check" });
  if (status !== 200) throw new Error(json?.detail ?? `The server responded with ${status}.`);
  return json.services;
}

function stateOf({ configured, working, reachable }) {
  if (!configured || reachable === false || working === false) return "fail";
  return working ? "pass" : "skip";
}

function row(service) {
  const state = stateOf(service);
  const name = el("b", {}, service.label || service.id);
  return el(
    "li",
    { "data-service": service.id, "data-state": state },
    el("span", { class: `st-verdict st-${state}` }, WORDS[state]),
    name,
    el("span", { class: "quiet" }, service.detail),
  );
}

async function check() {
  button.disabled = true;
  byId("services-note").textContent = "Asking each service for its list of models…";
  try {
    const services = await read("");
    list.replaceChildren(...services.map(row));
    list.hidden = false;
    const called = services.filter(({ check }) => check === "models").length;
    const works = services.filter(({ working }) => working).length;
    byId("services-note").textContent =
      `${works} of ${services.length} work. Real calls made: ${called}, each for a list of models, which costs nothing.`;
  } catch (error) {
    byId("services-note").textContent = error.message;
  } finally {
    button.disabled = false;
  }
}

export async function initServices() {
  button.addEventListener("click", () => void check());
  try {
    const services = (await read("?reach=false")).filter(({ configured, id }) => configured && id !== DEMO);
    select.append(...services.map(({ id, label }) => el("option", { value: id }, label || id)));
  } catch (error) {
    byId("services-note").textContent = error.message;
  }
}
