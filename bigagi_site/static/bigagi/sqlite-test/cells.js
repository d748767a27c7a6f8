// Values of the database as the server sends them: null, numbers, texts, {text, length} of long ones, {blob: bytes}.

import { el } from "../../chats/chat/dom.js";

const NUMBER = new Intl.NumberFormat("en");
// What a page can show without standing still.
const MOST_CELLS = 30000;

export const count = (number, word, words = `${word}s`) => `${NUMBER.format(number)} ${number === 1 ? word : words}`;

function cell(value) {
  if (value === null) return el("td", { class: "sq-null" }, "NULL");
  if (typeof value === "number") return el("td", { class: "sq-number" }, String(value));
  if (typeof value === "boolean") return el("td", {}, String(value));
  if (typeof value === "string") return el("td", {}, el("div", { class: "sq-text" }, value));
  if ("blob" in value) return el("td", { class: "sq-null" }, count(value.blob, "byte"));
  const more = el("span", { class: "quiet" }, `… ${count(value.length, "character")} in total`);
  return el("td", {}, el("div", { class: "sq-text" }, value.text, more));
}

// A table of rows that scrolls in itself, under a name that is read out.
export function grid(label, columns, rows) {
  const most = Math.max(1, Math.floor(MOST_CELLS / Math.max(1, columns.length)));
  const table = el(
    "table",
    { class: "sq-grid" },
    el("thead", {}, el("tr", {}, ...columns.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, ...rows.slice(0, most).map((row) => el("tr", {}, ...row.map(cell)))),
  );
  const scroll = el("div", { class: "sq-scroll", tabIndex: 0, role: "region", "aria-label": label }, table);
  const left = rows.length - most;
  if (left <= 0) return scroll;
  return el("div", {}, scroll, el("p", { class: "quiet" }, `${count(left, "more row")} in the downloads: too many cells to show here.`));
}

// --- downloads ---

function plain(value) {
  if (value === null) return "";
  if (typeof value !== "object") return String(value);
  return "blob" in value ? `(${count(value.blob, "byte")})` : value.text;
}

function field(value) {
  let text = plain(value);
  // A spreadsheet would run a text that begins like a formula.
  if (typeof value !== "number" && /^[=+\-@\t\r\n]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const toCsv = (columns, rows) => [columns, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";

export function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
