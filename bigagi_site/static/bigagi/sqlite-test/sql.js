// The tab of the read-only SQL box.

import { Problem, send } from "../../chats/chat/api.js";
import { byId, el } from "../../chats/chat/dom.js";
import { count, grid, save, toCsv } from "./cells.js";

let url = "";
let result = null;
let isRunning = false;

export function init() {
  const form = byId("sql-form");
  url = form.dataset.url;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run();
  });
  byId("sql-plan").addEventListener("click", () => void run({ plan: true }));
  byId("sql-text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void run();
  });
  byId("sql-text").addEventListener("input", () => tellError(""));
  byId("sql-example").addEventListener("change", ({ target }) => {
    if (target.value) byId("sql-text").value = target.value;
    target.value = "";
    tellError("");
    byId("sql-text").focus();
  });
  byId("sql-csv").addEventListener("click", () => save("result.csv", "text/csv", toCsv(result.columns, result.rows)));
  byId("sql-json").addEventListener("click", () => save("result.json", "application/json", JSON.stringify(result, null, 2)));
}

async function run({ plan = false } = {}) {
  const sql = byId("sql-text").value;
  if (isRunning) return;
  if (!sql.trim()) {
    tellError("Write a statement first, or choose an example.");
    byId("sql-text").focus();
    return;
  }
  setRunning(true);
  tellError("");
  byId("sql-status").textContent = plan ? "Asking for the plan…" : "Running…";
  try {
    const answer = await (await send("POST", url, { body: plan ? { sql, plan } : { sql } })).json();
    if (plan) showPlan(answer);
    else showRows(sql, answer);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    show(null, "");
    tellError(error.message);
  } finally {
    setRunning(false);
  }
}

function setRunning(value) {
  isRunning = value;
  // A disabled button would lose the keyboard's place.
  for (const id of ["sql-run", "sql-plan"]) byId(id).setAttribute("aria-disabled", String(value));
  byId("sql-result").setAttribute("aria-busy", String(value));
}

function tellError(text) {
  byId("sql-error").textContent = text;
  byId("sql-error").hidden = !text;
  byId("sql-text").setAttribute("aria-invalid", String(Boolean(text)));
}

function show(content, status) {
  byId("sql-status").textContent = status;
  byId("sql-save").hidden = true;
  byId("sql-result").replaceChildren(...(content ? [content] : []));
}

function showRows(sql, answer) {
  const { columns, rows, row_count: number, is_cut: isCut, ms } = answer;
  const cut = isCut ? `, limited to ${count(number, "row")}: there are more` : "";
  const empty = el("p", { class: "quiet" }, "The statement returned no rows.");
  show(rows.length ? grid("Rows of the result", columns, rows) : empty, `${count(number, "row")} in ${ms.toFixed(1)} ms${cut}.`);
  result = { sql, columns, rows, is_cut: isCut };
  byId("sql-save").hidden = rows.length === 0;
}

function branch(nodes) {
  return el("ul", {}, ...nodes.map(({ detail, children }) => el("li", {}, el("code", {}, detail), children.length ? branch(children) : null)));
}

function showPlan({ plan }) {
  const title = el("h3", {}, "Query plan");
  const words = el("p", { class: "quiet" }, "SEARCH uses an index; SCAN reads the whole table or index. The innermost loop is the last of its level.");
  const tree = plan.length ? branch(plan) : el("p", {}, "No plan: the statement reads no table.");
  show(el("div", { class: "card sq-plan" }, title, words, tree), "Query plan only; the statement was not run.");
}
