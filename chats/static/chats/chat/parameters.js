// The parameters of the model: set, reset, and sent again after a provider refused them.

import { call, modelPath, servicePath } from "./api.js";
import { byId } from "./dom.js";
import { emit } from "./state.js";
import { fail, undoable } from "./toasts.js";

let reread = async () => {};

function tell(row, text) {
  const box = row.querySelector(".error");
  box.textContent = text;
  box.hidden = !text;
  row.querySelector("input, select").setAttribute("aria-invalid", String(Boolean(text)));
}

async function changed() {
  // How much is kept free for the answer is part of what will be sent.
  emit("prompt");
  await reread();
}

// What is set, of which model: the panel can show another one when it is.
function factsOf(row) {
  const { model, label } = byId("parameters-part").dataset;
  const { parameter, label: name } = row.dataset;
  return { model, label, parameter, name };
}

async function set({ model, label, parameter, name }, value) {
  try {
    const { change } = await call("PATCH", `${modelPath(model)}/parameters`, { [parameter]: value });
    if (change) undoable(value === null ? `${name} of ${label}: default.` : `${name} of ${label}: ${value}.`, change, changed);
    await changed();
  } catch (error) {
    const row = byId(`parameter-${parameter}`)?.closest(".parameter");
    if (error.status && row && byId("parameters-part").dataset.model === model) tell(row, error.message);
    else fail(error);
  }
}

const waiting = new Map();

// Each step of an arrow key is a change.
function setSoon(facts, value) {
  clearTimeout(waiting.get(facts.parameter));
  waiting.set(facts.parameter, setTimeout(() => void set(facts, value), 500));
}

function read(row) {
  const field = row.querySelector("input, select");
  const facts = factsOf(row);
  tell(row, "");
  if (field.tagName === "SELECT") return void set(facts, field.value || null);
  const { badInput, rangeUnderflow, rangeOverflow } = field.validity;
  clearTimeout(waiting.get(facts.parameter));
  // A browser gives no value of what is no number.
  if (badInput || rangeUnderflow || rangeOverflow) return tell(row, `${facts.name} must be ${row.dataset.range}.`);
  return setSoon(facts, field.value === "" ? null : field.valueAsNumber);
}

async function again(row) {
  try {
    await call("DELETE", `${servicePath(byId("parameters-part").dataset.service)}/refused`);
    await changed();
  } catch (error) {
    tell(row, error.message);
  }
}

export function initParameters(body, reader) {
  reread = reader;
  const rowOf = (target) => target.closest(".parameter");
  body.addEventListener("change", ({ target }) => {
    const row = rowOf(target);
    if (row) read(row);
  });
  body.addEventListener("click", ({ target }) => {
    const row = rowOf(target);
    if (row && "reset" in target.dataset) void set(factsOf(row), null);
    else if (row && "again" in target.dataset) void again(row);
  });
}
