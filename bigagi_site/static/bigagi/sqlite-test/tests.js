// The tab of tests: a card for each kind, with its verdicts and its requests.

import { page } from "../../chats/chat/state.js";
import { byId, el } from "../../chats/chat/dom.js";
import { describe, findLeftovers, isTaken } from "./cleanup.js";
import { describeTrial, download, seconds } from "./report.js";
import { KINDS, run } from "./runner.js";
import { initServices } from "./services.js";
import { VERDICTS } from "./verdicts.js";

const WORDS = {
  idle: "Not run",
  waiting: "Waiting",
  running: "Running",
  pass: "Passed",
  fail: "Failed",
  stopped: "Stopped",
  skip: "Not applicable",
  pending: "Waiting",
};
const SHOWN = 4000;
const cards = new Map();
let abort = null;
let last = null;
let runs = 0;

export function init(root) {
  const list = root.querySelector("#kinds");
  for (const kind of KINDS) {
    const card = makeCard(kind);
    cards.set(kind.id, card);
    list.append(card.element);
  }
  list.removeAttribute("aria-busy");
  byId("run-all").addEventListener("click", () => void start(KINDS));
  byId("stop-tests").addEventListener("click", () => abort?.abort());
  byId("save-tests").addEventListener("click", () => download("bigagi-tests", last));
  void initServices();
  void tellLeftovers();
}

async function tellLeftovers() {
  if (await isTaken()) return;
  const left = await findLeftovers().catch(() => []);
  // A run that began meanwhile has found them itself.
  if (left.length && !runs)
    note(`Left over from an interrupted run: ${describe(left)}. The next run deletes it.`);
}

// --- running ---------------------------------------------------------------------------------------------------------

async function start(kinds) {
  if (abort) return;
  runs += 1;
  abort = new AbortController();
  hold(true);
  note("");
  byId("closing").hidden = true;
  for (const kind of kinds) paint(cards.get(kind.id), { state: "waiting", verdicts: {}, exchanges: [], ms: 0 });
  const progress = { kinds, trials: new Map() };
  tally(progress);
  const result = await run(kinds, {
    signal: abort.signal,
    note,
    told: (trial) => {
      progress.trials.set(trial.kind.id, trial);
      schedule(trial);
      tally(progress);
    },
  });
  abort = null;
  for (const kind of kinds)
    if (!progress.trials.has(kind.id)) paint(cards.get(kind.id), { state: "idle", verdicts: {}, exchanges: [], ms: 0 });
  for (const trial of progress.trials.values()) paint(cards.get(trial.kind.id), trial);
  hold(false);
  if (result === null) {
    byId("summary").textContent = "";
    return note("Tests are running in another tab of this browser. Wait for them, or close that tab.", true);
  }
  tally(progress, result);
  const closing = byId("closing");
  Object.assign(closing, {
    hidden: false,
    textContent: result.closing,
    className: result.isClean ? "notice" : "error",
  });
  last = {
    ...{ tests: result.trials.map(describeTrial), ms: result.ms },
    cleanup: { is_clean: result.isClean, text: result.closing },
  };
  byId("save-tests").disabled = false;
}

function hold(isRunning) {
  for (const { button } of cards.values()) button.disabled = isRunning;
  byId("run-all").disabled = isRunning;
  byId("stop-tests").disabled = !isRunning;
  document.documentElement.dataset.tests = isRunning ? "running" : "ended";
}

function note(text, isBad = false) {
  Object.assign(byId("tests-note"), { textContent: text, hidden: !text, className: isBad ? "error" : "warning" });
}

function tally({ kinds, trials }, result = null) {
  const states = [...trials.values()].map(({ state }) => state);
  const count = (state) => states.filter((each) => each === state).length;
  const ended = states.length - count("running");
  const bar = byId("tests-progress");
  Object.assign(bar, { max: kinds.length, value: ended, hidden: false });
  const verdicts = [...trials.values()].flatMap((trial) => Object.values(trial.verdicts));
  const of = (state) => verdicts.filter((each) => each.state === state).length;
  const parts = [`${count("pass")} of ${kinds.length} passed`];
  if (count("fail")) parts.push(`${count("fail")} failed`);
  if (count("stopped")) parts.push("stopped");
  if (result)
    parts.push(`verdicts: ${of("pass")} pass, ${of("fail")} fail, ${of("skip")} not applicable`, seconds(result.ms));
  const text = `${parts.join(" · ")}.`;
  const summary = byId("summary");
  if (summary.textContent !== text) summary.textContent = text;
  summary.dataset.state =
    count("fail") || result?.isClean === false ? "fail" : result && count("pass") === kinds.length ? "pass" : "";
}

// --- cards -----------------------------------------------------------------------------------------------------------

function makeCard(kind) {
  const state = el("span", { class: "state" }, WORDS.idle);
  const time = el("span", { class: "quiet st-time" });
  const button = el(
    "button",
    {
      type: "button",
      class: "button button-quiet",
      "aria-label": `Run: ${kind.title}`,
      onclick: () => void start([kind]),
    },
    "Run",
  );
  const verdicts = el("ul", { class: "st-verdicts", "aria-label": `Verdicts on ${kind.title}`, hidden: true });
  const requests = el("div", { class: "st-requests" });
  const label = el("summary", {}, "Requests");
  const details = el("details", { class: "st-fold", hidden: true }, label, requests);
  const element = el(
    "li",
    { class: "card st-kind", "data-kind": kind.id },
    el("div", { class: "st-head" }, el("h3", {}, kind.title), state, time, button),
    el("p", { class: "quiet" }, kind.about),
    verdicts,
    details,
  );
  return { element, state, time, button, verdicts, requests, details, label, shown: [] };
}

const waiting = new Set();

// A test tells of each check; the page is painted once a frame.
function schedule(trial) {
  if (!waiting.size) {
    requestAnimationFrame(() => {
      for (const each of waiting) paint(cards.get(each.kind.id), each);
      waiting.clear();
    });
  }
  waiting.add(trial);
}

function paint(card, { state, ms, verdicts, exchanges }) {
  card.element.dataset.state = state;
  card.state.className = `state st-${state}`;
  card.state.textContent = WORDS[state];
  card.time.textContent = ms ? seconds(ms) : "";
  const all = Object.values(verdicts);
  card.verdicts.hidden = !all.length;
  card.verdicts.replaceChildren(...all.map(makeVerdict));
  if (card.shown[0] !== exchanges[0]) {
    card.requests.replaceChildren();
    card.shown = [];
  }
  for (const each of exchanges.slice(card.shown.length)) card.requests.append(makeExchange(each));
  card.shown = [...exchanges];
  card.details.hidden = !exchanges.length;
  card.label.textContent = `${exchanges.length} request${exchanges.length === 1 ? "" : "s"} with responses`;
}

function makeVerdict({ id, state, reason, faults }) {
  const { label } = VERDICTS.find((each) => each.id === id);
  const word = el(
    "span",
    { class: `st-verdict st-${state}` },
    { pass: "Pass", fail: "Fail", skip: "Not applicable" }[state] ?? "…",
  );
  const item = el(
    "li",
    { "data-verdict": id, "data-state": state },
    word,
    el("b", {}, label),
    el("span", { class: "quiet" }, reason),
  );
  if (faults.length) item.append(makeFaults(faults));
  return item;
}

function makeFaults(faults) {
  const rows = faults
    .slice(0, 5)
    .map(({ about, expected, actual }) =>
      el(
        "dl",
        { class: "st-fault" },
        el("div", {}, el("dt", {}, "Where"), el("dd", {}, about)),
        el("div", {}, el("dt", {}, "Expected"), el("dd", {}, el("code", {}, expected))),
        el("div", {}, el("dt", {}, "Actual"), el("dd", {}, el("code", {}, actual))),
      ),
    );
  return el("div", { class: "st-faults" }, ...rows, el("p", {}, faults[0].mend));
}

const cut = (text) =>
  text.length > SHOWN
    ? `${text.slice(0, SHOWN)}… (${text.length.toLocaleString("en")} characters)`
    : text || "(nothing)";

function makeExchange(each) {
  const head = el(
    "summary",
    {},
    el("span", { class: "st-method" }, each.method),
    el("span", { class: "st-path" }, each.path),
    el("span", { class: `st-status${each.status >= 400 ? " is-error" : ""}` }, String(each.status)),
    el("span", { class: "st-ms" }, `${Math.round(each.ms)} ms`),
  );
  const fold = el("details", { class: `st-exchange st-role-${each.role}` }, head);
  // Bodies are written when somebody looks.
  fold.addEventListener("toggle", () => {
    if (fold.children.length > 1) return;
    fold.append(
      el(
        "div",
        { class: "st-bodies" },
        el("h4", {}, "Sent"),
        el("pre", {}, cut(each.sent)),
        el("h4", {}, "Received"),
        el("pre", {}, cut(each.text)),
        el(
          "p",
          { class: "quiet" },
          each.requestId ? "Request id: " : "No request id.",
          each.requestId && lineLink(each),
        ),
      ),
    );
  });
  return fold;
}

function lineLink({ requestId, logId }) {
  return logId
    ? el("a", { href: page.admin.request.replace("/0/", `/${logId}/`) }, requestId)
    : el("code", {}, requestId);
}
