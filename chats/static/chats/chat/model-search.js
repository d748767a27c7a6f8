// Which models the picker lists, in which order, and which part of a long list is on screen. Without the page.

export const HEADING = 36;
export const ROW = 48;
const MORE = 8;

const words = (query) => query.toLowerCase().split(/\s+/).filter(Boolean);

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

// As on all pages: 128k, 1.1M.
export const sizeOf = (count) => compact.format(count).replace("K", "k");

// Sizes as people write them, and as the list shows them: 128000, 128k, 1.1m, 1m.
function sizes(context) {
  if (!context) return "";
  const written = [context, `${Math.round(context / 1000)}k`, `${Math.round(context / 1024)}k`, sizeOf(context).toLowerCase()];
  if (context >= 1e6) written.push(`${Math.round(context / 1e6)}m`);
  return written.join(" ");
}

// Whole dollars, or cents, or what is finer than that: $5, $0.20, $0.075.
const dollars = (value) => `$${Number.isInteger(value * 10) && !Number.isInteger(value) ? value.toFixed(2) : value}`;

export function priceOf({ input, output, fee }) {
  if (input === "free" && output === "free") return "free";
  if (typeof input !== "number" && typeof output !== "number") return "";
  const one = (value) => (typeof value === "number" ? dollars(value) : (value ?? "?"));
  return `${one(input)} / ${one(output)}${fee ? ` + ${dollars(fee)} a request` : ""}`;
}

// All by which a model can be found.
export function textOf(model, service) {
  const facts = [model.label, model.id, service.label, service.vendor, sizes(model.context), priceOf(model) || "unpriced"];
  return [...facts, model.vision ? "images vision" : ""].join(" ").toLowerCase();
}

// Each key pressed looks through all models: what does not change is made once.
const texts = new WeakMap();

function knownText(model, service) {
  if (!texts.has(model)) texts.set(model, textOf(model, service));
  return texts.get(model);
}

// Returns what tells whether a text has the word. A size is a whole number: 128k is in no 1128k. So is a price, which
// may go on behind its point: $2 finds $2.5 and no $25.
function matcher(word) {
  const escaped = word.replace(/[.$]/g, "\\$&");
  let pattern = null;
  if (/^\d+(?:\.\d+)?[km]$/.test(word)) pattern = new RegExp(`(?<![\\d.])${escaped}(?![a-z\\d])`);
  else if (/^\$\d+$/.test(word)) pattern = new RegExp(`${escaped}(?!\\d)`);
  return pattern ? (text) => pattern.test(text) : (text) => text.includes(word);
}

// Returns rows: favourites, then the last used, then the rest by service; each model once. With a query, only those
// that have all its words. Hidden models come last, where they are asked for.
export function search(services, query, { recent = [], hidden = null } = {}) {
  const wanted = words(query).map(matcher);
  const fits = (model, service) => !wanted.length || wanted.every((isIn) => isIn(knownText(model, service)));
  const all = services.flatMap((service) => service.models.filter((model) => fits(model, service)).map((model) => ({ model, service })));
  const starred = all.filter(({ model }) => model.starred);
  const used = recent.map((id) => all.find(({ model }) => model.id === id && !model.starred)).filter(Boolean);
  const taken = new Set([...starred, ...used].map(({ model }) => model.id));
  const rows = [...group("Favourites", "", starred), ...group("Last used", "", used)];
  for (const service of services) {
    const others = all.filter((each) => each.service === service && !taken.has(each.model.id));
    rows.push(...group(service.label, service.whyNot || service.status, others, Boolean(service.whyNot)));
  }
  if (hidden) {
    const found = hidden.flatMap((service) => service.models.filter((model) => fits(model, service)).map((model) => ({ model, service, isHidden: true })));
    rows.push(...group("Hidden", "choose one to show it again", found));
  }
  return rows;
}

function group(label, note, options, isBad = false) {
  return options.length ? [{ label, note, isBad }, ...options] : [];
}

export const isOption = (row) => row.model !== undefined;
export const heightOf = (row) => (isOption(row) ? ROW : HEADING);

// Where each row begins, and where the last one ends.
export function placesOf(rows) {
  const places = [0];
  for (const row of rows) places.push(places.at(-1) + heightOf(row));
  return places;
}

// Returns the first row on screen and the one behind the last, with some more on either side.
export function windowOf(places, top, height) {
  const first = Math.max(0, firstBehind(places, top) - 1 - MORE);
  const last = Math.min(places.length - 1, firstBehind(places, top + height) + MORE);
  return { first, last };
}

// The first place beyond a height, by halving.
function firstBehind(places, height) {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle] <= height) low = middle + 1;
    else high = middle;
  }
  return low;
}
