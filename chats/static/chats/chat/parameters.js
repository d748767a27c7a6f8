// The parameters of the model: set, reset, and sent again after a provider refused them.

import { call, modelPath, servicePath } from "./api.js";
import { byId, debounce } from "./dom.js";
import { emit } from "./state.js";
import { undoable } from "./toasts.js";

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

async function set(row, value) {
  const { model, label } = byId("parameters-part").dataset;
  const { parameter, label: name } = row.dataset;
  try {
    const { change } = await call("PATCH", `${modelPath(model)}/parameters`, { [parameter]: value });
    if (change) undoable(value === null ? `${name} of ${label}: default.` : `${name} of ${label}: ${value}.`, change, changed);
    await changed();
  } catch (error) {
    tell(row, error.message);
  }
}

function read(row) {
  const field = row.querySelector("input, select");
  tell(row, "");
  if (field.tagName === "SELECT") return void set(row, field.value || null);
  const { badInput, rangeUnderflow, rangeOverflow } = field.validity;
  // A browser gives no value of what is no number.
  if (badInput || rangeUnderflow || rangeOverflow) return tell(row, `${row.dataset.label} must be ${row.dataset.range}.`);
  return void set(row, field.value === "" ? null : field.valueAsNumber);
}

// Each step of an arrow key is a change.
const readSoon = debounce(500, (row) => row.isConnected && read(row));

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
    if (row) (target.tagName === "SELECT" ? read : readSoon)(row);
  });
  body.addEventListener("click", ({ target }) => {
    const row = rowOf(target);
    if (row && "reset" in target.dataset) void set(row, null);
    else if (row && "again" in target.dataset) void again(row);
  });
}
