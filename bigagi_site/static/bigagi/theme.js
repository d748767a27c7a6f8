// The theme of all pages, the admin's and the API reference's too: light, dark, or as the system has it. It is kept in a
// cookie, from which the server draws the page. This is no module, so that it runs before the first paint.
// Another script changes the theme by the event "bigagi-theme" with "light", "dark" or "system".
(() => {
  const YEAR = 365 * 24 * 3600;
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  // Alpine keeps a theme of its own in the admin.
  const isAdmin = root.hasAttribute("x-data");

  const read = (name) => new RegExp(`(?:^|; )${name}="?([^;"]*)`).exec(document.cookie)?.[1] ?? "";

  function keep(name, value) {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `${name}=${value}; path=/; max-age=${value ? YEAR : 0}; samesite=lax${secure}`;
  }

  function chosen() {
    const theme = read("bigagi_theme");
    return theme === "light" || theme === "dark" ? theme : "system";
  }

  function apply() {
    const theme = chosen();
    const isDark = theme === "dark" || (theme === "system" && system.matches);
    root.dataset.theme = theme;
    // Colours of highlighted code and of unfold go by the one class, those of Swagger UI by the other.
    root.classList.toggle("dark", isDark);
    root.classList.toggle("dark-mode", isDark);
    const scheme = document.querySelector("meta[name=color-scheme]");
    if (scheme) scheme.content = theme === "system" ? "light dark" : theme;
    if (isAdmin) remember(theme === "system" ? "auto" : theme);
    document.dispatchEvent(new CustomEvent("bigagi-theme-applied", { detail: theme }));
  }

  // What Alpine finds when it starts.
  function remember(theme) {
    try {
      localStorage.setItem("adminTheme", JSON.stringify(theme));
    } catch {
      // Storage is refused: the class that the server wrote holds.
    }
  }

  function choose(theme) {
    keep("bigagi_theme", theme === "light" || theme === "dark" ? theme : "");
    apply();
  }

  // Where nobody chose a time zone, the server shows times in that of the browser.
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  if (/^[\w+\-/]+$/.test(zone) && read("bigagi_browser_zone") !== zone) keep("bigagi_browser_zone", zone);

  apply();
  system.addEventListener("change", apply);
  // Another tab may have chosen meanwhile.
  addEventListener("pageshow", apply);
  document.addEventListener("visibilitychange", apply);
  document.addEventListener("bigagi-theme", (event) => choose(event.detail));
  // unfold's own key for its theme: it would change the admin alone.
  if (isAdmin) {
    addEventListener(
      "keydown",
      (event) => {
        if (!(event.ctrlKey || event.metaKey) || event.key !== "e") return;
        event.preventDefault();
        event.stopImmediatePropagation();
        choose(root.classList.contains("dark") ? "light" : "dark");
      },
      { capture: true },
    );
  }
})();
