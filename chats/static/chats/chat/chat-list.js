// The chats of the view that is chosen beside them: which there are, read a page at a time, the pinned ones first.

import { call, getText } from "./api.js";
import { everywhere } from "./chat-on-page.js";
import { byId } from "./dom.js";
import * as folders from "./folders.js";

const PAGE_SIZE = 60;
const MOST = 200;
const find = byId("find");

// `next` is the address of the next page; `finds` are places in messages.
export const list = { pinned: [], chats: [], next: null, finds: [] };

let asked = 0;

// A chat out of the list has its facts, the one on the page and those that were found have a title alone.
export const plainTitleOf = (chat) => chat._server?.title ?? chat.title ?? "";
export const titleOf = (chat) => plainTitleOf(chat) || "Untitled chat";
export const words = () => find.value.trim();
export const isArchive = () => folders.current() === folders.ARCHIVE;
export const shownChats = () => [...list.pinned, ...list.chats];

// The filters of the view, as the API has them.
export function viewFilters() {
  const query = new URLSearchParams({ archived: String(isArchive()) });
  if (words()) query.set("title", words());
  if (folders.current() && !isArchive()) query.set("folder", folders.current());
  return query;
}

function pageOf(more) {
  const query = viewFilters();
  for (const [name, value] of Object.entries({ ordering: "-updated", ...more })) query.set(name, value);
  return call("GET", `/api/chats?${query}`, undefined, { visit: everywhere }).then(({ data }) => data);
}

async function pageAt(address) {
  const { pathname, search } = new URL(address, location.href);
  return (await call("GET", pathname + search, undefined, { visit: everywhere })).data;
}

// Goes on behind a page as long as more is wanted.
async function goOn({ results, next }, wants) {
  let chats = results;
  while (next && wants(chats)) {
    const page = await pageAt(next);
    chats = [...chats, ...page.results];
    next = page.next;
  }
  return { chats, next };
}

// Reads the view from its begin; with `keeps`, as far as it is shown. `show` is called for each part that comes, unless
// something else was asked for meanwhile.
export async function read(show, { keeps = false } = {}) {
  const mine = ++asked;
  const wanted = keeps ? Math.max(PAGE_SIZE, list.chats.length) : PAGE_SIZE;
  const [pinned, first] = await Promise.all([
    pageOf({ pinned: "true", page_size: MOST }),
    pageOf({ pinned: "false", page_size: Math.min(MOST, wanted) }),
  ]);
  const isAsked = () => mine === asked;
  const pins = await goOn(pinned, isAsked);
  const { chats, next } = await goOn(first, (chats) => isAsked() && chats.length < wanted);
  if (!isAsked()) return;
  Object.assign(list, { pinned: pins.chats, chats, next, finds: keeps ? list.finds : [] });
  show();
  if (words().length < 3) return;
  const texts = JSON.parse(await getText(`/chat-parts/search?${new URLSearchParams({ q: words() })}`, { visit: everywhere }));
  if (mine !== asked) return;
  list.finds = texts.results;
  show();
}

export async function readMore(show) {
  const mine = asked;
  if (!list.next) return;
  const page = await pageAt(list.next);
  if (mine !== asked) return;
  const known = new Set(list.chats.map(({ id }) => id));
  list.chats = [...list.chats, ...page.results.filter(({ id }) => !known.has(id))];
  list.next = page.next;
  show();
}

// All chats of the view, those as well that are not shown yet.
export async function readAll(tell) {
  const { chats } = await goOn(await pageOf({ page_size: MOST }), ({ length }) => {
    tell(length);
    return true;
  });
  return chats;
}
