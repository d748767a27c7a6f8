// The tests of stores: device, custom, all of them, and those whose old versions are brought to the newest.

import { page } from "../../chats/chat/state.js";
import { listAll } from "./http.js";

const NO_MODEL = "This test needs no model.";
const ROW = "SELECT version, revision FROM stores_store WHERE name = ?";
const COUNT = "SELECT count(*) FROM stores_store WHERE name = ?";

const pathOf = (name) => `/api/stores/${name}`;

async function make(t, name, value) {
  t.made.push({ kind: "store", id: name });
  return t.call("POST", "/api/stores", { body: { name, ...value }, expect: 201 });
}

async function purge(t, name) {
  await t.call("DELETE", `${pathOf(name)}?purge=true`, { expect: 204 });
  await t.sql("The row is gone", COUNT, [name], [[0]]);
}

const device = {
  id: "device",
  title: "Device store",
  about: "The identity of a browser, as in app-device: created once, read repeatedly, never created twice.",
  skips: { ai: NO_MODEL },
  async run(t) {
    const name = t.name("app-device");
    const value = { state: { localDeviceId: "aB3xYz90Qw" }, version: 1 };
    t.same("The created device", value, (await make(t, name, value)).json);
    const read = await t.call("GET", pathOf(name));
    t.same("The device when read", value, read.json);
    await t.sql("The row of the store", ROW, [name], [[1, 1]]);
    await t.problem("POST", "/api/stores", { body: { name, ...value }, status: 409, kind: "id-taken" });
    const again = await t.call("GET", pathOf(name), {
      headers: { "If-None-Match": read.headers.get("ETag") ?? "" },
      expect: 304,
    });
    t.same("The ETag of an unchanged store", read.headers.get("ETag"), again.headers.get("ETag"));
    await purge(t, name);
  },
};

const ODD = {
  state: {
    words: ["Ωmega", "倉庫", "🐈", "\u0000", "\ud800", "a/b~c", ""],
    numbers: [0, -1, 1.5, 9007199254740991, 1e-7, 1e21],
    nothing: null,
    flags: { yes: true, no: false },
    deep: Array.from({ length: 40 }).reduce((inner) => ({ inner }), "here"),
    "a key with spaces": {},
  },
  version: 7,
  beside: ["kept", { too: true }],
};

const custom = {
  id: "custom",
  title: "Custom store",
  about: "A store that big-AGI does not know: unusual values, every method, revisions, and two writers at once.",
  skips: { ai: NO_MODEL },
  async run(t) {
    const [name, bare] = [t.name("custom"), t.name("bare")];
    const key = { "Idempotency-Key": t.name("once") };
    t.made.push({ kind: "store", id: name });
    const body = { name, ...ODD };
    const made = await t.call("POST", "/api/stores", { body, expect: 201, headers: key });
    t.same("The created store", ODD, made.json);
    const replayed = await t.call("POST", "/api/stores", { body, expect: 201, headers: key });
    t.same("The same request repeated, with its Idempotency-Key", ODD, replayed.json);
    t.same("The store when read", ODD, (await t.call("GET", pathOf(name))).json);
    const put = { ...ODD, state: { ...ODD.state, words: ["one"] } };
    t.same("The store after PUT", put, (await t.call("PUT", pathOf(name), { body: put })).json);
    const patch = { state: { numbers: [3], nothing: "now something" } };
    const patched = { ...put, state: { ...put.state, ...patch.state } };
    t.same("The store after PATCH", patched, (await t.call("PATCH", pathOf(name), { body: patch })).json);
    await t.sql("The row of the store", ROW, [name], [[7, 3]]);
    const stale = { "If-Match": made.headers.get("ETag") ?? "" };
    const late = await t.problem("PUT", pathOf(name), {
      body: ODD,
      headers: stale,
      status: 412,
      kind: "changed-meanwhile",
    });
    t.same("The current version, returned to the second writer", patched, late.json?.current);
    const { json } = await t.call("GET", `${pathOf(name)}/revisions`);
    const oldest = json?.results?.at(-1);
    const restored = await t.call("POST", `${pathOf(name)}/revisions/${oldest?.id}/restore`);
    t.same("The restored store", ODD, restored.json);
    t.same(
      "A bare value in place of an object",
      [1, "two", null],
      (await make(t, bare, { value: [1, "two", null] })).json,
    );
    await purge(t, bare);
    await purge(t, name);
  },
};

const MOST = 60;

const all = {
  id: "all",
  title: "All stores",
  about: "The list of all stores and the headers of each. Bodies are not read: there can be a gigabyte.",
  skips: { ai: NO_MODEL },
  async run(t) {
    const name = t.name("listed");
    const made = await make(t, name, { state: { here: true }, version: 2 });
    await t.call("GET", "/api/stores?page_size=200");
    const stores = await listAll("/api/stores?page_size=200", { signal: t.signal });
    const own = stores.find((store) => store.name === name);
    t.same(
      "The new store in the list",
      [name, false, 2, 1],
      own && [own.name, own.relational, own.version, own.revision],
    );
    const heads = [own, ...stores.filter((store) => store !== own)].slice(0, MOST);
    for (const store of heads.filter(Boolean)) {
      const head = await t.call("HEAD", store.href);
      if (store.relational)
        t.same(`${store.name} has an ETag and no body`, [true, ""], [head.headers.has("ETag"), head.text]);
      else
        t.same(
          `The revision of ${store.name} matches its ETag`,
          String(store.revision),
          head.headers.get("ETag")?.match(/-(\d+)"/)?.[1],
        );
    }
    t.same(
      "The ETag of the new store",
      made.headers.get("ETag"),
      (await t.call("HEAD", pathOf(name))).headers.get("ETag"),
    );
    const whole = stores.filter((store) => store.revision !== null).length;
    await t.sql("As many rows as stores in the list", "SELECT count(*) FROM stores_store", [], [[whole]]);
    await t.sql("The size of the new store", "SELECT length(data) > 0 FROM stores_store WHERE name = ?", [name], [[1]]);
    await t.problem("GET", "/api/stores?nonsense=1", { status: 400, kind: "bad-request", pointer: "?nonsense" });
    await purge(t, name);
  },
};

const REST = { preferredLanguage: "en-US", complexityMode: "pro", dismissals: { tip: true }, ofTheFuture: [1, null] };
const V3 = { ...REST, contentScaling: "sm", doubleClickToEdit: false, centerMode: "full" };
const CASES = [
  {
    from: 0,
    about: "with enterToSend off",
    state: { ...REST, enterToSend: false },
    becomes: { ...V3, enterIsNewline: true },
  },
  {
    from: 0,
    about: "with enterToSend on",
    state: { ...REST, enterToSend: true },
    becomes: { ...V3, enterIsNewline: false },
  },
  { from: 0, about: "never touched", state: { ...REST }, becomes: { ...V3, enterIsNewline: false } },
  { from: 1, about: "", state: { ...REST, enterIsNewline: true }, becomes: { ...V3, enterIsNewline: true } },
  {
    ...{ from: 2, about: "" },
    state: { ...REST, enterIsNewline: false, contentScaling: "md", doubleClickToEdit: true, centerMode: "wide" },
    becomes: { ...REST, enterIsNewline: false, contentScaling: "md", doubleClickToEdit: true, centerMode: "full" },
  },
];

const preferences = {
  id: "ui",
  title: "UI preferences",
  about:
    "app-ui as written by versions 0, 1 and 2, converted to the newest. This uses a copy under another name: yours is not touched.",
  skips: { ai: NO_MODEL },
  async run(t) {
    const newest = page.newest["app-ui"];
    const name = `${page.prefix}app-ui`;
    for (const { from, about, state, becomes } of CASES) {
      const words = `Version ${from}${about && `, ${about}`}, in version ${newest}`;
      const expected = { state: becomes, version: newest };
      t.same(words, expected, (await make(t, name, { state, version: from })).json);
      t.same(`${words}, read back`, expected, (await t.call("GET", pathOf(name))).json);
      const { json } = await t.call("GET", `${pathOf(name)}/revisions`);
      t.same(
        `${words}: the original is kept`,
        ["original"],
        json?.results?.map(({ reason }) => reason),
      );
      await t.sql(`The row of version ${from}`, ROW, [name], [[newest, 1]]);
      await purge(t, name);
    }
    const future = { state: { ...V3, enterIsNewline: false, hologram: true }, version: newest + 40 };
    t.same("A newer version is kept as it is", future, (await make(t, name, future)).json);
    await t.problem("PATCH", pathOf(name), {
      body: { version: "newest" },
      status: 400,
      kind: "bad-request",
      pointer: "/version",
    });
    await purge(t, name);
  },
};

const LABS = {
  labsHighPerformance: false,
  labsAutoHideComposer: true,
  labsScreenWakeLock: true,
  labsLosslessImages: false,
};

const labs = {
  id: "labs",
  title: "Labs",
  about: "The experimental switches of app-ux-labs: converted from version 0, then changed one by one. This uses a copy, as above.",
  skips: { ai: NO_MODEL },
  async run(t) {
    const newest = page.newest["app-ux-labs"];
    const name = `${page.prefix}app-ux-labs`;
    let expected = { state: LABS, version: newest };
    t.same(`Version 0, in version ${newest}`, expected, (await make(t, name, { state: LABS, version: 0 })).json);
    for (const lab of Object.keys(LABS)) {
      const state = { [lab]: !LABS[lab] };
      expected = { ...expected, state: { ...expected.state, ...state } };
      t.same(`${lab}, turned`, expected, (await t.call("PATCH", pathOf(name), { body: { state } })).json);
    }
    t.same("All switches when read", expected, (await t.call("GET", pathOf(name))).json);
    await t.sql("The row of the store", ROW, [name], [[newest, 1 + Object.keys(LABS).length]]);
    await t.problem("PUT", pathOf(name), { body: [1], status: 400, kind: "bad-request", pointer: "/state" });
    await purge(t, name);
  },
};

export const STORE_KINDS = { device, custom, all, preferences, labs };
