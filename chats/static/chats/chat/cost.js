// The arithmetic of what a message cost: tokens × price, where the price came from, and the provider's own figure.

import { call, messagePath } from "./api.js";
import { here } from "./chat-on-page.js";
import { byId, el } from "./dom.js";

const NAMES = {
  input: "New input",
  "cache read": "Cache read",
  "cache write": "Cache write",
  output: "Output",
};
const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

const count = new Intl.NumberFormat("en");
const usd = new Intl.NumberFormat("en", { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: 9 });
const dollars = (nano) => usd.format(nano / 1e9);

function sourceOf(source) {
  if (source === "user") return "your own price for this model";
  if (source === "model") return "the price stored with the model";
  if (source.startsWith("book ")) return `the price ${source}, as of the date of the call`;
  return source || "unknown";
}

function feeRow({ cost_nano_usd: cost }) {
  const cells = ["1", "a request", `= ${dollars(cost)}`].map((text) => el("td", {}, text));
  return el("tr", {}, el("th", { scope: "row" }, "Fee for the request"), ...cells);
}

function table({ parts, sum_nano_usd: sum, reasoning_tokens: reasoning }, about) {
  const head = ["", "Tokens", "USD per million", "Cost"].map((text) => el("th", { scope: "col" }, text));
  const rows = parts.map((part) => {
    if (part.name === "request") return feeRow(part);
    const name = NAMES[part.name] ?? part.name;
    const of = part.name === "output" && reasoning ? el("small", {}, `including ${about}${count.format(reasoning)} reasoning`) : null;
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, name, of),
      el("td", {}, about + count.format(part.tokens)),
      el("td", {}, `× ${usd.format(part.usd_per_million)}`),
      el("td", {}, `= ${about}${dollars(part.cost_nano_usd)}`),
    );
  });
  const whole = el("tr", {}, el("th", { scope: "row", colSpan: 3 }, "Sum"), el("td", {}, about + dollars(sum)));
  const caption = el("caption", {}, "Prices are in USD per million tokens.");
  return el("table", { class: "usage arithmetic" }, caption, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows), el("tfoot", {}, whole));
}

function facts(told, about) {
  const known = (nano) => nano !== null && nano !== undefined;
  const reported = known(told.cost_reported_nano_usd) ? dollars(told.cost_reported_nano_usd) : "none";
  return [
    ["Cost recorded", known(told.cost_nano_usd) ? about + dollars(told.cost_nano_usd) : told.cost_code === "free" ? "free" : "unpriced"],
    ["Cost reported by the provider", reported],
    known(told.saved_nano_usd) && told.saved_nano_usd ? ["Saved by caching", about + dollars(told.saved_nano_usd)] : null,
    ["Price source", told.cost_code === "free" ? "the model, which is free" : sourceOf(told.price_source)],
    ["Date of the call", WHEN.format(new Date(told.at))],
    ["Model", told.model.id || "unknown"],
  ].filter(Boolean);
}

export async function openCost(message) {
  const { data: told } = await call("GET", `${messagePath(here().chat, message)}/cost`);
  const about = told.estimated ? "≈ " : "";
  const hasSum = told.parts.length && told.sum_nano_usd !== null;
  byId("cost-body").replaceChildren(
    ...[
      told.note ? el("p", {}, told.note) : null,
      told.estimated ? el("p", {}, "≈ The provider reported no tokens, so tokens and cost are estimates.") : null,
      hasSum ? table(told, about) : null,
      el("dl", { class: "cost-facts" }, ...facts(told, about).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
    ].filter(Boolean),
  );
  byId("cost").showModal();
}
