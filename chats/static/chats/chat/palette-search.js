// How well a text fits what was typed, and in which order groups of results come. Without the page.

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

// A word fits best where a text begins, then where one of its words begins, then inside; last where its letters come in
// their order, close together: "exp chat" and "xport" find "Export this chat".
function scoreOf(word, text) {
  const at = text.indexOf(word);
  if (at === 0) return 4;
  if (at > 0) {
    const begins = new RegExp(`(?<![\\p{L}\\p{N}])${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`, "u");
    return begins.test(text) ? 3 : 2;
  }
  if (word.length < 3) return 0;
  let from = -1;
  let first = -1;
  for (const letter of word) {
    from = text.indexOf(letter, from + 1);
    if (from < 0) return 0;
    if (first < 0) first = from;
  }
  return from - first < word.length * 2 ? 1 : 0;
}

// The score of a text for a query; 0 where one of its words does not fit.
export function score(query, text) {
  const words = plain(query).split(/\s+/).filter(Boolean);
  const within = plain(text);
  let sum = 0;
  for (const word of words) {
    const found = scoreOf(word, within);
    if (!found) return 0;
    sum += found;
  }
  return words.length ? sum / words.length : 0;
}

// The items that fit, the best first; equal ones stay in their order.
export function best(query, items, most) {
  return items
    .map((item) => ({ item, score: score(query, `${item.label} ${item.words ?? ""}`) }))
    .filter((each) => each.score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ item, score }) => ({ ...item, score }));
}

// Groups with the best fit first; those without a score of their own stay behind.
export function orderGroups(groups) {
  const top = ({ items }) => Math.max(0, ...items.map((item) => item.score ?? 0));
  return groups.filter(({ items }) => items.length).sort((a, b) => top(b) - top(a));
}

// What two sources found, each once, in the order of the first.
export function merge(items, others) {
  const known = new Set(items.map(({ key }) => key));
  return [...items, ...others.filter(({ key }) => !known.has(key))];
}
