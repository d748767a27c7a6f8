// How the command palette finds and orders: the pure part.

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { test } from "node:test";

const { best, merge, orderGroups, score } = await import(pathToFileURL(`${process.env.BIGAGI_STATIC}/chats/chat/palette-search.js`));

test("a text fits best at its begin, then at a word's begin, then inside, then by its letters in order", () => {
  const scores = ["export", "this", "ort th", "xprt", "zebra"].map((query) => score(query, "Export this chat"));
  assert.deepEqual(scores, [4, 3, 2.5, 1, 0]);
});

test("all words must fit, in any order, whatever their case and accents", () => {
  assert.ok(score("chat EXP", "Export this chat"));
  assert.ok(score("resume", "Résumé of Ada"));
  assert.ok(score("工作", "我的工作"));
  assert.equal(score("export zebra", "Export this chat"), 0);
  assert.equal(score("", "Export"), 0);
});

test("letters far apart, and one or two of them, find nothing by chance", () => {
  assert.equal(score("eat", "Export this archived thing"), 0);
  assert.equal(score("xz", "extra zebra"), 0);
  assert.equal(score("a(b", "a.b"), 0);
});

test("the best come first, equal ones as they were, and no more than wanted", () => {
  const items = ["Inside chats", "Chat one", "The chat", "Chat two"].map((label) => ({ key: label, label }));
  const labels = best("chat", items, 3).map(({ label }) => label);
  assert.deepEqual(labels, ["Chat one", "Chat two", "Inside chats"]);
  assert.equal(best("money", [{ label: "Tokens and cost", words: "price money" }], 3).length, 1);
});

test("groups stand by their best, empty ones not at all; what two sources found stands once", () => {
  const groups = [{ name: "a", items: [{ score: 2 }] }, { name: "b", items: [] }, { name: "c", items: [{ score: 1 }, { score: 4 }] }];
  assert.deepEqual(orderGroups(groups).map(({ name }) => name), ["c", "a"]);
  assert.deepEqual(merge([{ key: 1 }], [{ key: 1 }, { key: 2 }]), [{ key: 1 }, { key: 2 }]);
});
