// Brings new figures card by card while the page is seen; a card in which somebody is keeps still.
const EVERY = 10_000;
const SOON = 2_000;
const announced = new Set();

export function keepFresh(board, changed) {
  let timer;
  const later = (wait) => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(() => void refresh(), wait);
  };
  const refresh = async () => {
    try {
      const response = await fetch(board.dataset.url + location.search, { headers: { Accept: "text/html" } });
      if (response.redirected || !response.ok) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (replaceCards(board, page)) changed();
      board.removeAttribute("data-stale");
    } catch {
      // The server is away, or the session is over: what is shown is old, and says so.
      board.dataset.stale = "";
    }
    later(isFinding(board) ? SOON : EVERY);
  };
  document.addEventListener("visibilitychange", () => later(0));
  later(isFinding(board) ? SOON : EVERY);
}

/** Put cards that have changed in the place of those that are shown; tell whether any has. */
export function replaceCards(board, page) {
  let isChanged = false;
  for (const alarm of board.querySelectorAll("[role=alert]")) announced.add(alarm.textContent);
  for (const fresh of page.querySelectorAll("[data-card]")) {
    const shown = board.querySelector(`[data-card="${CSS.escape(fresh.dataset.card)}"]`);
    if (!shown || shown.dataset.html === fresh.outerHTML || shown.contains(document.activeElement)) continue;
    const opened = [...shown.querySelectorAll("details")].map((details) => details.open);
    const html = fresh.outerHTML;
    const made = document.importNode(fresh, true);
    [...made.querySelectorAll("details")].forEach((details, at) => (details.open = opened[at] ?? false));
    // A screen reader would read it out each time that the age beside it is another one.
    for (const alarm of made.querySelectorAll("[role=alert]")) {
      if (announced.has(alarm.textContent)) alarm.removeAttribute("role");
    }
    made.dataset.html = html;
    shown.replaceWith(made);
    isChanged = true;
  }
  return isChanged;
}

function isFinding(board) {
  return board.querySelector("[data-finding]") !== null;
}
