// What unfold leaves to the mouse, for keyboards and screen readers too: it makes buttons of elements that are none.
const CLICKED = ":is(a:not([href]), span, div)[x-on\\:click]:not(#changelist-filter-close)";
const NAMES = { dock_to_right: "Show or hide the navigation", search: "Search", arrow_back: "Back to the list" };

document.addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll(CLICKED)) makeButton(element);
  for (const title of document.querySelectorAll("#nav-sidebar h2[x-on\\:click]")) makeFold(title);
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) nameIcon(icon);
  // It leads to the dashboard; "Home" is another page.
  for (const image of document.querySelectorAll("#nav-sidebar a img[alt=Home]")) image.alt = "Dashboard";
  const find = document.getElementById("nav-filter");
  if (find) {
    find.placeholder = "Find a list";
    find.setAttribute("aria-label", "Find a list of the admin");
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" && event.key !== " ") return;
  const button = event.target.closest("[role=button]:not(button)");
  if (!button) return;
  event.preventDefault();
  button.click();
});

function makeButton(element) {
  element.setAttribute("role", "button");
  element.tabIndex = 0;
  if (!element.getAttribute("x-on:click").includes("filterOpen = true")) return;
  // The filters stand behind the list, where nobody would look for them with the Tab key.
  element.addEventListener("click", () => setTimeout(() => document.querySelector("#changelist-filter a")?.focus()));
}

function makeFold(title) {
  const button = document.createElement("span");
  button.className = "bigagi-fold";
  button.append(...title.childNodes);
  title.append(button);
  button.setAttribute("role", "button");
  button.tabIndex = 0;
  const list = title.nextElementSibling;
  const tell = () => button.setAttribute("aria-expanded", String(list.style.display !== "none"));
  new MutationObserver(tell).observe(list, { attributeFilter: ["style"] });
  tell();
}

/** Icons are words in a font of icons: nobody should hear them, and what has nothing else needs a name. */
function nameIcon(icon) {
  const word = icon.textContent.trim();
  const button = icon.closest("a, button, [role=button]");
  const text = button?.textContent.replace(word, "").trim();
  if (button && !text && !button.title && !button.ariaLabel) button.setAttribute("aria-label", NAMES[word] ?? word.replaceAll("_", " "));
  if (icon !== button) icon.setAttribute("aria-hidden", "true");
}
