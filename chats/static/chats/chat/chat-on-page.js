// The chat on the page, and which requests belong to it. A chat is there for one visit; the same chat opened again is
// another one. When a visit is over, what it reads is ended and counts no more. What it writes arrives all the same,
// and may be told of, but is shown in no other chat.

import { page } from "./state.js";

export class Visit {
  #over = new AbortController();

  constructor(chat) {
    // Its chat's id; null on the empty page, until the first message has made one.
    this.chat = chat;
    // What it was called when it was left.
    this.title = "";
  }

  get signal() {
    return this.#over.signal;
  }

  get isHere() {
    return !this.signal.aborted;
  }

  end() {
    this.#over.abort(new DOMException("Another chat was opened.", "AbortError"));
  }

  // Resolves to what the promise gives; rejects with an AbortError, which nobody is told of, if the page has gone on.
  async whileHere(promise) {
    try {
      const got = await promise;
      this.signal.throwIfAborted();
      return got;
    } catch (error) {
      this.signal.throwIfAborted();
      throw error;
    }
  }

  // Does what only shows something, as long as the chat is here.
  async show(act) {
    if (!this.isHere) return;
    try {
      await act();
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }
}

// For what belongs to the page whatever chat is on it, as the list of chats does.
export const everywhere = new Visit(null);

let visit = new Visit(page.chat?.id ?? null);

export const here = () => visit;
export const shows = (chat) => Boolean(chat) && page.chat?.id === chat;

// Another chat comes onto the page; `data` is what the server tells of it.
export function arrive(data) {
  visit.title = page.chat?.title ?? "";
  visit.end();
  Object.assign(page, data);
  visit = new Visit(page.chat?.id ?? null);
}

// The chat that the first message made takes the place of the empty page: the visit goes on.
export function adopt(chat) {
  page.chat = { title: "", archived: false, running: null, revision: 0, ...chat };
  visit.chat = chat.id;
}

// Takes a revision as seen that came of so many writes of this visit, and of none of others.
export function seeOwn(of, revision, writes) {
  if (of.isHere && page.chat && revision === page.chat.revision + writes) page.chat.revision = revision;
}
