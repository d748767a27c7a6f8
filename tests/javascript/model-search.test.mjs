// The picker's list of models: what is found, in which order, and which rows are on screen.

import assert from "node:assert/strict";
import { test } from "node:test";

import { HEADING, placesOf, priceOf, ROW, search, textOf, windowOf } from "../../chats/static/chats/chat/model-search.js";

const model = (id, members = {}) => ({ id, label: id, context: null, input: null, output: null, fee: null, vision: false, starred: false, ...members });
const service = (label, models, members = {}) => ({ id: label, label, vendor: "openai", whyNot: "", status: "key", models, ...members });
const ids = (rows) => rows.map((row) => row.model?.id ?? `# ${row.label}`);

const services = [
  service("One", [model("alpha", { context: 128_000, input: 2, output: 8 }), model("beta", { starred: true }), model("gamma")]),
  service("Two", [model("delta", { input: "free", output: "free", vision: true }), model("epsilon", { context: 1_048_576, fee: 0.005, input: 0, output: 0 })]),
];

test("favourites come first, then the last used, then the rest by service, each once", () => {
  assert.deepEqual(ids(search(services, "", { recent: ["epsilon", "beta", "gone"] })), [
    ...["# Favourites", "beta", "# Last used", "epsilon", "# One", "alpha", "gamma", "# Two", "delta"],
  ]);
});

test("any words find a model, in any order", () => {
  const found = (query) => ids(search(services, query)).filter((id) => !id.startsWith("#"));
  assert.deepEqual(found("128k"), ["alpha"]);
  assert.deepEqual(found("one $2 ALPHA"), ["alpha"]);
  assert.deepEqual(found("1m request"), ["epsilon"]);
  assert.deepEqual(found("free images"), ["delta"]);
  assert.deepEqual(found("openai two"), ["delta", "epsilon"]);
  assert.deepEqual(found("nothing of this"), []);
});

test("a size and a price are whole numbers, not parts of longer ones", () => {
  const many = [service("Many", [model("one", { context: 1_128_000, input: 25, output: 30 }), model("two", { context: 131_072, input: 2.5, output: 2 }), model("v1-128k")])];
  const found = (query) => ids(search(many, query)).slice(1);
  assert.deepEqual(found("128k"), ["two", "v1-128k"]);
  assert.deepEqual(found("1.1m"), ["one"]);
  assert.deepEqual(found("$2"), ["two"]);
  assert.deepEqual(found("$2."), ["two"]);
  assert.deepEqual(found("$25 1m"), ["one"]);
  // Other words, digits too, are found anywhere in a name.
  assert.deepEqual(found("28"), ["one", "two", "v1-128k"]);
});

test("a fee is no free price", () => {
  assert.equal(priceOf({ input: 0, output: 0, fee: 0.005 }), "$0 / $0 + $0.005 a request");
  assert.equal(priceOf({ input: "free", output: "free" }), "free");
  assert.ok(!textOf(services[1].models[1], services[1]).includes("free"));
});

test("hidden models come last, with their service's others, where they are asked for", () => {
  const hidden = [service("One", [model("omega", { hiddenReason: "It makes images." })])];
  assert.deepEqual(ids(search(services, "omega", { hidden })), ["# Hidden", "omega"]);
  assert.equal(search(services, "omega", { hidden })[1].isHidden, true);
});

test("of a long list only what is on screen is drawn, wherever it is scrolled to", () => {
  const long = search([service("Long", Array.from({ length: 2173 }, (_, at) => model(`m${at}`)))], "");
  const places = placesOf(long);
  assert.equal(places.at(-1), HEADING + 2173 * ROW);
  for (const top of [0, 10, 5000, places.at(-1) - 600]) {
    const { first, last } = windowOf(places, top, 600);
    assert.ok(places[first] <= top, `${top}`);
    assert.ok(places[last] >= Math.min(top + 600, places.at(-1)), `${top}`);
    assert.ok(last - first < 40, `${first} ${last}`);
  }
});
