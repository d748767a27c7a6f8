// The tab of the table browser: tables by app, how one is built, and its rows page by page.

import { Problem, send } from "../../chats/chat/api.js";
import { byId, el } from "../../chats/chat/dom.js";
import { count, grid } from "./cells.js";

let url = "";
let groups = [];
let chosen = "";
let openTab;

const read = async (path) => (await send("GET", path)).json();
const pathOf = (name) => `${url}/${encodeURIComponent(name)}`;
const named = () => decodeURIComponent(/^#tables\/(.+)$/.exec(location.hash)?.[1] ?? "");

export async function init(panel, tabs) {
  openTab = tabs.open;
  url = byId("tables").dataset.url;
  byId("tables-filter").addEventListener("input", showList);
  addEventListener("hashchange", () => named() && named() !== chosen && void open(named()));
  await load();
  if (named()) await open(named());
}

const rowsOf = ({ rows }) => `${rows.is_exact ? "" : "over "}${count(rows.count, "row")}`;

async function load() {
  try {
    ({ groups } = await read(url));
    showList();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const again = el("button", { type: "button", class: "button button-quiet", onclick: () => void load() }, "Try again");
    byId("tables-status").textContent = error.message;
    byId("tables-list").replaceChildren(again);
  }
}

function showList() {
  const wanted = byId("tables-filter").value.trim().toLowerCase();
  const found = groups
    .map(({ app, tables }) => ({ app, tables: tables.filter(({ name }) => name.toLowerCase().includes(wanted)) }))
    .filter(({ tables }) => tables.length);
  const number = found.reduce((sum, { tables }) => sum + tables.length, 0);
  byId("tables-status").textContent = number ? count(number, "table") : "No matching tables.";
  byId("tables-list").replaceChildren(...found.flatMap(({ app, tables }) => [el("h2", {}, app), el("ul", {}, ...tables.map(entry))]));
}

function entry(table) {
  const closed = table.closed ? el("span", { class: "tb-closed" }, "closed") : null;
  const facts = el("span", { class: "quiet tb-count" }, rowsOf(table), closed);
  const button = el("button", { type: "button", onclick: () => void open(table.name, { focus: true }) }, el("span", { class: "tb-name" }, table.name), facts);
  if (table.name === chosen) button.setAttribute("aria-current", "true");
  return el("li", {}, button);
}

async function open(name, { focus = false } = {}) {
  chosen = name;
  if (named() !== name) history.replaceState(null, "", `#tables/${encodeURIComponent(name)}`);
  for (const button of byId("tables-list").querySelectorAll("button")) {
    const isChosen = button.querySelector(".tb-name")?.textContent === name;
    if (isChosen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    if (isChosen && !focus) button.scrollIntoView({ block: "nearest" });
  }
  const detail = byId("tables-detail");
  detail.setAttribute("aria-busy", "true");
  try {
    const table = await read(pathOf(name));
    // Somebody may have chosen another one meanwhile.
    if (chosen === name) detail.replaceChildren(...describe(table));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (chosen === name) detail.replaceChildren(el("p", { class: "error", role: "alert" }, error.message));
  } finally {
    detail.removeAttribute("aria-busy");
  }
  if (focus) detail.querySelector("h2")?.focus();
}

function describe(table) {
  const parts = [el("h2", { tabIndex: -1, class: "tb-title" }, table.name)];
  if (table.meaning) parts.push(el("p", {}, table.meaning));
  parts.push(el("p", { class: "quiet" }, table.app === "views" ? `${rowsOf(table)} · view` : `${rowsOf(table)} · app ${table.app}`));
  if (table.closed) parts.push(el("p", { class: "warning" }, `Rows are not shown: ${table.closed}.`));
  else if (byId("tab-sql")) parts.push(el("p", {}, el("button", { type: "button", class: "button", onclick: () => query(table) }, table.app === "views" ? "Query this view" : "Query this table")));
  parts.push(...columnsOf(table), ...indexesOf(table), ...triggersOf(table));
  if (table.sql) parts.push(el("details", {}, el("summary", {}, "CREATE statement"), el("pre", {}, table.sql)));
  if (!table.closed) parts.push(rowsPart(table));
  return parts;
}

function facts(label, heads, rows) {
  const head = el("thead", {}, el("tr", {}, ...heads.map((name) => el("th", { scope: "col" }, name))));
  const table = el("table", { class: "sq-grid tb-facts" }, head, el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, cell))))));
  return [el("h3", {}, label), el("div", { class: "sq-scroll", tabIndex: 0, role: "region", "aria-label": label }, table)];
}

function columnsOf({ columns }) {
  const rows = columns.map((column) => {
    const type = [column.type, column.is_nullable ? "" : "not null", column.default === null ? "" : `default ${column.default}`];
    const target = column.refers_to && el("button", { type: "button", class: "tb-link", onclick: () => void open(column.refers_to, { focus: true }) }, column.refers_to);
    const name = el("span", {}, el("code", {}, column.name), column.is_key ? el("span", { class: "quiet" }, " key") : null);
    return [name, type.filter(Boolean).join(", "), el("span", {}, column.meaning, target ? " → " : null, target || null)];
  });
  return facts(`Columns (${columns.length})`, ["Name", "Type", "Meaning"], rows);
}

function indexesOf({ indexes }) {
  if (!indexes.length) return [];
  const rows = indexes.map(({ name, kind, columns, sql }) => {
    const only = / WHERE (.*)$/s.exec(sql)?.[1];
    return [el("code", {}, name || "—"), kind, el("span", {}, columns.join(", "), only ? el("span", { class: "quiet" }, ` only where ${only}`) : null)];
  });
  return facts(`Indexes and rules (${indexes.length})`, ["Name", "Kind", "Columns"], rows);
}

function triggersOf({ triggers }) {
  if (!triggers.length) return [];
  return [el("h3", {}, `Triggers (${triggers.length})`), ...triggers.map(({ name, sql }) => el("details", {}, el("summary", {}, name), el("pre", {}, sql)))];
}

async function query({ name, columns }) {
  const quoted = (text) => (/^[a-z_][a-z0-9_]*$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`);
  const key = columns.find((column) => column.is_key);
  const order = key ? `\nORDER BY ${quoted(key.name)} DESC` : "";
  byId("sql-text").value = `SELECT ${columns.map((column) => quoted(column.name)).join(", ")}\nFROM ${quoted(name)}${order}\nLIMIT 100`;
  await openTab("sql");
  byId("sql-text").focus();
}

// --- rows ---

function rowsPart({ name, app }) {
  const earlier = [];
  const place = el("div", {});
  const status = el("p", { class: "quiet", role: "status" });
  const previous = el("button", { type: "button", class: "button button-quiet" }, "Previous");
  const next = el("button", { type: "button", class: "button button-quiet" }, "Next");
  let after = "";
  let following = null;

  async function turn() {
    status.textContent = "Reading…";
    try {
      const page = await read(`${pathOf(name)}/rows${after ? `?after=${encodeURIComponent(after)}` : ""}`);
      following = page.next;
      place.replaceChildren(page.rows.length ? grid(`Rows of ${name}`, page.columns, page.rows) : el("p", { class: "quiet" }, "There are no rows."));
      status.textContent = page.rows.length ? `Page ${earlier.length + 1}: ${count(page.rows.length, "row")}${app === "views" ? "" : ", in the order of the key"}.` : "";
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      status.textContent = error.message;
    }
    previous.disabled = earlier.length === 0;
    next.disabled = following === null;
  }

  previous.addEventListener("click", () => {
    after = earlier.pop() ?? "";
    void turn();
  });
  next.addEventListener("click", () => {
    earlier.push(after);
    after = following;
    void turn();
  });
  void turn();
  const pager = el("div", { class: "st-buttons" }, previous, next);
  return el("section", { "aria-label": "Rows" }, el("h3", {}, "Rows"), status, place, pager);
}
