import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./page.mjs";

const { difference, plain, problemFaults, show } = await load("bigagi/sqlite-test/verdicts.js");

test("the first difference of two values is named by its pointer", () => {
  const cases = [
    [{ a: [1, { b: null }] }, { a: [1, { b: null }] }, null],
    [{ a: [1, 2] }, { a: [1] }, { pointer: "/a", expected: "2 members", actual: "1 members" }],
    [{ "a/b": { "~": 1 } }, { "a/b": { "~": 2 } }, { pointer: "/a~1b/~0", expected: 1, actual: 2 }],
    [{ a: 1 }, { a: 1, b: 2 }, { pointer: "/b", expected: undefined, actual: 2 }],
    [{ a: 1, b: 2 }, { a: 1 }, { pointer: "/b", expected: 2, actual: undefined }],
    [1, "1", { pointer: "/", expected: 1, actual: "1" }],
    [null, {}, { pointer: "/", expected: null, actual: {} }],
    [{}, [], { pointer: "/", expected: {}, actual: [] }],
  ];
  for (const [expected, actual, found] of cases) assert.deepEqual(difference(expected, actual), found);
});

test("our facts are left out, and long values are cut", () => {
  assert.deepEqual(plain({ id: "a", _server: { href: "/" } }), { id: "a" });
  assert.deepEqual(plain([1]), [1]);
  assert.equal(show(undefined), "nothing");
  assert.equal(show("x".repeat(400)).length, 301);
});

test("each fault of an answer that should be a problem is found", () => {
  const problem = {
    ...{ type: "/api/docs/troubleshooting#not-found", title: "Not Found", status: 404, detail: "None.", instance: "/api/x" },
    ...{ request_id: "r", errors: [{ pointer: "/a", detail: "No.", code: "c" }] },
  };
  const answer = { json: problem, type: "application/problem+json", path: "/api/x?y=1", requestId: "r" };
  const wanted = { status: 404, kind: "not-found", pointer: "/a" };
  assert.deepEqual(problemFaults(answer, wanted), []);
  const broken = { type: "x", title: "", status: 500, detail: 7, instance: "/", request_id: "other", errors: {} };
  for (const [name, value] of Object.entries(broken)) {
    const pointer = name === "errors" ? undefined : "/a";
    const found = problemFaults({ ...answer, json: { ...problem, [name]: value } }, { ...wanted, pointer });
    assert.deepEqual(found.map(({ about }) => about), [name]);
  }
  assert.equal(problemFaults({ ...answer, type: "text/html", json: null }, wanted).length, 9);
});
