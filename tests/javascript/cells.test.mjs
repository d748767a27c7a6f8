import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./page.mjs";

const { count, toCsv } = await load("bigagi/sqlite-test/cells.js");

test("one and many are told apart", () => {
  assert.equal(count(1, "row"), "1 row");
  assert.equal(count(0, "row"), "0 rows");
  assert.equal(count(12_345, "entry", "entries"), "12,345 entries");
});

test("a table for spreadsheets quotes what it must, and runs no formula", () => {
  const rows = [
    [1, null, 'say "hi"', "a,b", "two\nlines"],
    [-2, true, "=1+1", "@x", { text: "+long", length: 9 }],
    [0.5, { blob: 3 }, "-1", "", "\tx"],
  ];
  assert.equal(
    toCsv(["n", "a", "b", "c", "d"], rows),
    'n,a,b,c,d\r\n1,,"say ""hi""","a,b","two\nlines"\r\n-2,true,\'=1+1,\'@x,\'+long\r\n0.5,(3 bytes),\'-1,,\'\tx\r\n',
  );
});
