// Making and finding elements. Text goes in as text, never as HTML.

export const byId = (id) => document.getElementById(id);

// For what the chat page alone has: other pages ask the server by the same functions.
export function setIfThere(id, member, value) {
  const element = byId(id);
  if (element) element[member] = value;
}

export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name in made && !name.startsWith("aria")) made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

// Only for HTML that our own server rendered and cleaned.
export function fromServer(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

export function debounce(wait, act) {
  let timer = 0;
  const later = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), wait);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

// Of promises for the same place only the newest counts: an older one that settles later is rejected as aborted.
export function newest() {
  let asked = 0;
  return async (promise) => {
    const mine = ++asked;
    const got = await promise;
    if (mine !== asked) throw new DOMException("It was asked for again.", "AbortError");
    return got;
  };
}

// Gives the focus to the first of these that can have it, so that it never falls back to the whole page.
export function focusFirst(...places) {
  for (const place of places) {
    if (!place?.isConnected || place.closest("[inert], [hidden]")) continue;
    place.focus({ preventScroll: true });
    if (place.contains(document.activeElement)) return;
  }
}

export const isTyping = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
