// What modules of a page expect of it when they are loaded.
globalThis.document ??= {
  getElementById: () => ({ textContent: "{}", dataset: {} }),
  querySelector: () => null,
  querySelectorAll: () => [],
  addEventListener: () => {},
  documentElement: { dataset: {} },
  cookie: "",
};
globalThis.location ??= { origin: "http://127.0.0.1", pathname: "/", search: "", hash: "" };

// A module of the site, as its pages load it: from one folder with the static files of all apps.
export const load = (name) => import(`${process.env.BIGAGI_STATIC}/${name}`);
