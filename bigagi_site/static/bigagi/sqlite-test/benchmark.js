// The tab that measures IndexedDB, as big-AGI uses it, and our API, side by side.

import { page } from "../../chats/chat/state.js";
import { byId, el } from "../../chats/chat/dom.js";
import { median, p95 } from "./bench-data.js";
import { draw } from "./bench-chart.js";
import * as idb from "./bench-idb.js";
import { measureBrowser, measureServer } from "./bench-run.js";
import { alone, describe, findLeftovers, remove, verify } from "./cleanup.js";
import { download } from "./report.js";
import { newRun } from "./runner.js";

const WORKS = [
  ["save", "Save one message"],
  ["open", "Start and open a chat"],
];
let abort = null;
let results = [];
let closing = "";

export function init() {
  byId("bench-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void start();
  });
  byId("bench-stop").addEventListener("click", () => abort?.abort());
  byId("bench-save").addEventListener("click", () => download("bigagi-benchmark", { results, cleanup: closing }));
  document.addEventListener("bigagi-theme-applied", () => results.length && void paintCharts());
}

const tell = (text) => (byId("bench-status").textContent = text);

async function start() {
  const sizes = [...document.querySelectorAll("#bench-form [name=size]:checked")].map(({ value }) => Number(value));
  if (abort) return;
  if (!sizes.length) return tell("Choose a size.");
  abort = new AbortController();
  hold(true);
  results = [];
  let isMine = false;
  try {
    isMine = await alone(() => walk(sizes, byId("bench-runs").valueAsNumber, abort.signal));
  } finally {
    abort = null;
    hold(false);
  }
  if (!isMine) tell("Tests or a benchmark are running in another tab of this browser. Wait for them, or close that tab.");
}

function hold(isRunning) {
  byId("bench-start").disabled = isRunning;
  byId("bench-stop").disabled = !isRunning;
  byId("bench-save").disabled = isRunning || !results.length;
  byId("bench-progress").hidden = !isRunning;
  if (isRunning) byId("bench-closing").hidden = true;
  document.documentElement.dataset.benchmark = isRunning ? "running" : "ended";
}

async function walk(sizes, runs, signal) {
  const made = [];
  const failed = [];
  let ending = "Done.";
  try {
    const left = await findLeftovers(signal);
    if (left.length) failed.push(...(await remove(left)));
    for (const mb of sizes) await measureOne(mb, runs, signal, made, failed);
  } catch (error) {
    ending = error.name === "AbortError" ? "Stopped." : `Failed: ${error.message}`;
  }
  byId("bench-progress").removeAttribute("value");
  failed.push(...(await clean(made)));
  await idb.drop().catch((error) => failed.push({ id: "bigagi-benchmark", why: error.message }));
  await close(made, failed);
  tell(ending);
}

async function measureOne(mb, runs, signal, made, failed) {
  const prefix = `${page.prefix}${newRun()}-bench`;
  const told = (what, part) => {
    byId("bench-progress").value = part;
    const text = `${mb} MB: ${what}…`;
    if (byId("bench-status").textContent !== text) tell(text);
  };
  const browser = await measureBrowser(prefix, mb, runs, signal, told);
  const server = await measureServer(prefix, mb, runs, signal, made, told);
  results.push({
    ...{ mb, runs, bytes: browser.bytes, chats: server.count },
    times_ms: Object.fromEntries(WORKS.map(([id]) => [id, { indexeddb: browser[id], api: server[id] }])),
    ...Object.fromEntries(WORKS.map(([id]) => [id, { indexeddb: facts(browser[id]), api: facts(server[id]) }])),
  });
  await paint();
  tell(`${mb} MB: Cleaning up…`);
  failed.push(...(await clean(made)));
}

const facts = (times) => ({ median_ms: median(times), p95_ms: p95(times) });

async function clean(made) {
  const left = made.filter(({ isGone }) => !isGone);
  const failed = await remove(left, (count) => (byId("bench-progress").value = count / left.length));
  for (const record of left) record.isGone = !failed.some(({ id }) => id === record.id);
  return failed;
}

async function close(made, failed) {
  let isClean = false;
  closing = `Created ${describe(made)}.`;
  if (failed.length)
    closing += ` Not deleted: ${failed.map(({ id, why }) => `${id} (${why})`).join("; ")}. The next run tries again.`;
  else {
    try {
      const found = await verify();
      isClean = found.isClean;
      closing += ` ${found.text}`;
    } catch (error) {
      closing += ` Could not check that everything was deleted: ${error.message}`;
    }
  }
  Object.assign(byId("bench-closing"), {
    textContent: closing,
    hidden: false,
    className: isClean ? "notice" : "error",
  });
}

// --- showing ---------------------------------------------------------------------------------------------------------

const number = (ms) => (ms < 10 ? ms.toFixed(1) : Math.round(ms).toLocaleString("en"));
const times = (factor) => `${factor < 10 ? factor.toFixed(1) : Math.round(factor)} ×`;

async function paint() {
  byId("bench-results").hidden = false;
  byId("bench-rows").replaceChildren(...results.flatMap((result) => WORKS.map((work) => makeRow(result, work))));
  byId("bench-words").replaceChildren(
    ...results.flatMap((result) => WORKS.map((work) => el("li", {}, say(result, work)))),
  );
  await paintCharts();
}

function makeRow(result, [id, label]) {
  const { indexeddb, api } = result[id];
  const cells = [indexeddb.median_ms, indexeddb.p95_ms, api.median_ms, api.p95_ms].map((ms) =>
    el("td", {}, number(ms)),
  );
  return el(
    "tr",
    { "data-mb": result.mb, "data-work": id },
    el("th", { scope: "row" }, `${result.mb} MB`),
    el("td", {}, label),
    ...cells,
    el("td", {}, times(indexeddb.median_ms / api.median_ms).slice(0, -2)),
  );
}

function say(result, [id, label]) {
  const [theirs, ours] = [result[id].indexeddb.median_ms, result[id].api.median_ms];
  const verdict =
    ours < theirs ? `the API is ${times(theirs / ours)} as fast` : `IndexedDB is ${times(ours / theirs)} as fast`;
  return `${result.mb} MB, ${label.toLowerCase()}: ${number(theirs)} ms in IndexedDB, ${number(ours)} ms through the API; ${verdict}.`;
}

async function paintCharts() {
  const labels = results.map(({ mb }) => `${mb} MB`);
  const sets = WORKS.map(([id]) => ({
    ...{ id: `bench-chart-${id}`, labels },
    indexeddb: results.map((result) => result[id].indexeddb.median_ms),
    api: results.map((result) => result[id].api.median_ms),
  }));
  try {
    await draw(byId("bench-form").dataset.chart, sets);
  } catch (error) {
    tell(error.message);
  }
}
