// The panel's tabs. What a tab shows is fetched when it is first opened.

import { byId } from "../../chats/chat/dom.js";

const MODULES = {
  tests: () => import("./tests.js"),
  live: () => import("./live.js"),
  tables: () => import("./tables.js"),
  sql: () => import("./sql.js"),
  benchmark: () => import("./benchmark.js"),
};
const tabs = [...document.querySelectorAll("[role=tab]")];
const started = new Map();
const nameOf = (tab) => tab.id.replace("tab-", "");
const panelOf = (tab) => byId(tab.getAttribute("aria-controls"));

// Until a tab's module has started it, keys pressed and forms sent in it would go nowhere.
async function load(name, panel) {
  panel.inert = true;
  try {
    await (await MODULES[name]()).init(panel, { open });
    panel.dataset.ready = "";
  } catch (error) {
    started.delete(name);
    console.error(error);
    panel.prepend(
      Object.assign(document.createElement("p"), {
        className: "error",
        textContent: "This tab could not be loaded. Reload the page.",
      }),
    );
  } finally {
    panel.inert = false;
  }
}

function start(tab) {
  const name = nameOf(tab);
  if (!started.has(name)) started.set(name, load(name, panelOf(tab)));
  return started.get(name);
}

function open(name) {
  const tab = byId(`tab-${name}`);
  select(tab);
  return start(tab);
}

function select(tab, { focus = false, remember = true } = {}) {
  for (const each of tabs) {
    const isOn = each === tab;
    each.setAttribute("aria-selected", String(isOn));
    each.tabIndex = isOn ? 0 : -1;
    panelOf(each).hidden = !isOn;
  }
  if (focus) tab.focus();
  if (remember) history.replaceState(null, "", `#${nameOf(tab)}`);
  void start(tab);
}

const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

function step(event) {
  const at = tabs.indexOf(event.target);
  let to = null;
  if (event.key in STEPS) to = (at + STEPS[event.key] + tabs.length) % tabs.length;
  else if (event.key === "Home") to = 0;
  else if (event.key === "End") to = tabs.length - 1;
  if (to === null || at < 0) return;
  event.preventDefault();
  select(tabs[to], { focus: true });
}

const named = () => tabs.find((tab) => nameOf(tab) === location.hash.slice(1).split("/")[0]);

for (const tab of tabs) {
  tab.addEventListener("click", () => select(tab));
  tab.addEventListener("keydown", step);
}
addEventListener("hashchange", () => named() && select(named(), { remember: false }));
select(named() ?? tabs[0], { remember: false });
document.documentElement.dataset.ready = "";
