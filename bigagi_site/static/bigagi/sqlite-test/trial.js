// One run of one test: its requests, its seven verdicts, and what it made.

import { page } from "../../chats/chat/state.js";
import { exchange, query } from "./http.js";
import { VERDICTS, difference, plain, problemFaults, show } from "./verdicts.js";

export const BUDGET = 2000;
const LOG_WAIT = 8000;
const LOG_PAUSE = 300;

// The test cannot go on: what comes after depends on what went wrong.
class Ended extends Error {}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const named = ({ method, path }) => `${method} ${path}`;

export class Trial {
  // `told` is called whenever there is something new to show.
  constructor(kind, run, signal, told = () => {}) {
    Object.assign(this, {
      kind,
      run,
      signal,
      told,
      exchanges: [],
      made: [],
      state: "running",
      ms: 0,
      began: performance.now(),
    });
    this.verdicts = Object.fromEntries(
      VERDICTS.map(({ id }) => [id, { id, state: "pending", checks: 0, faults: [], reason: "" }]),
    );
    this.slowest = null;
    for (const [id, reason] of Object.entries(kind.skips ?? {})) this.skip(id, reason);
    if (!page.sql)
      this.skip("sql", "SQL checks need SQLite; this server uses another database. The API is checked instead.");
  }

  // A name that tells everybody that this is a test's.
  name(rest) {
    return `${page.prefix}${this.run}-${rest}`;
  }

  skip(id, reason) {
    Object.assign(this.verdicts[id], { state: "skip", reason });
  }

  // Notes one check of a verdict; what fails has what was expected, what came, and how to mend it.
  check(id, about, isRight, expected, actual, mend = VERDICTS.find((each) => each.id === id).mend) {
    const verdict = this.verdicts[id];
    verdict.checks += 1;
    if (!isRight) verdict.faults.push({ about, expected: show(expected), actual: show(actual), mend });
    verdict.state = verdict.faults.length ? "fail" : "running";
    this.told();
    return isRight;
  }

  async call(method, path, { expect = 200, budget = BUDGET, isLogged = true, ...options } = {}) {
    let answer;
    try {
      answer = await exchange(method, path, { signal: this.signal, ...options });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      this.check(
        "status",
        `${method} ${path}`,
        false,
        expect,
        "no response",
        "Cannot reach the server. Is it running?",
      );
      throw new Ended(error.message);
    }
    this.exchanges.push(Object.assign(answer, { isLogged, budget }));
    this.check("time", named(answer), answer.ms <= budget, `at most ${budget} ms`, `${Math.round(answer.ms)} ms`);
    if (!this.slowest || answer.ms / budget > this.slowest.ms / this.slowest.budget) this.slowest = answer;
    if (!this.check("status", named(answer), answer.status === expect, expect, answer.status))
      throw new Ended("status");
    if (method === "DELETE")
      for (const record of this.made) record.isGone ||= path.split("?")[0].endsWith(`/${record.id}`);
    return answer;
  }

  // Compares what was written with what came back, as JSON values; our facts beside it do not count.
  same(about, expected, actual) {
    const found = difference(plain(expected), plain(actual));
    return this.check("data", found ? `${about}, at ${found.pointer}` : about, !found, found?.expected, found?.actual);
  }

  async sql(about, statement, parameters, expected) {
    if (!page.sql) return;
    try {
      const { rows, answer } = await query(statement, parameters, { signal: this.signal });
      this.exchanges.push(answer);
      const found = difference(expected, rows);
      this.check("sql", about, !found, expected, rows);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      this.check("sql", about, false, expected, error.message);
    }
  }

  async problem(method, path, { status, kind, pointer, ...options }) {
    const answer = await this.call(method, path, { expect: status, ...options });
    const faults = problemFaults(answer, { status, kind, pointer });
    if (!faults.length) this.check("error", named(answer), true);
    for (const { about, expected, actual } of faults)
      this.check("error", `${named(answer)}: ${about}`, false, expected, actual);
    return answer;
  }

  // Runs the test to its end, whatever becomes of it; throws only AbortError.
  async walk() {
    try {
      await this.kind.run(this);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      this.broken = true;
      if (!(error instanceof Ended)) {
        console.warn(error);
        this.check("data", "The test itself", false, "a response of the usual shape", String(error));
      }
    } finally {
      this.ms = performance.now() - this.began;
    }
  }

  // Looks for the log's line of each request. They are written about a second after the answers, in their order.
  async readLog() {
    const calls = this.exchanges.filter((each) => each.isLogged && each.role === "call");
    const until = performance.now() + LOG_WAIT;
    for (const call of calls.toReversed()) {
      const about = named(call);
      if (!call.requestId) {
        this.check("log", about, false, "the header X-Request-ID", "none");
        continue;
      }
      let line;
      for (;;) {
        const path = `/api/requests?request_id=${encodeURIComponent(call.requestId)}`;
        const { status, json } = await exchange("GET", path, { role: "check", signal: this.signal });
        line = status === 200 ? json?.results?.[0] : undefined;
        if (line || performance.now() > until) break;
        await sleep(LOG_PAUSE);
      }
      const expected = [call.method, call.status];
      const isRight = line && !difference(expected, [line.method, line.status]);
      this.check(
        "log",
        `${about}, ${call.requestId}`,
        isRight,
        expected,
        line ? [line.method, line.status] : "no line within 8 s",
      );
      call.logId = line?.id;
    }
  }

  // Makes the verdicts final.
  finish() {
    for (const verdict of Object.values(this.verdicts)) {
      if (verdict.state === "skip") continue;
      if (verdict.faults.length) verdict.state = "fail";
      else if (this.stopped) Object.assign(verdict, { state: "skip", reason: "Stopped." });
      else if (this.broken)
        Object.assign(verdict, { state: "skip", reason: "The test ended before all of this was checked." });
      else if (verdict.checks) verdict.state = "pass";
      else this.check(verdict.id, "The test", false, "at least one check", "none");
      verdict.reason ||= this.reasonOf(verdict);
    }
    const isBad = Object.values(this.verdicts).some(({ state }) => state === "fail");
    this.state = isBad ? "fail" : this.stopped ? "stopped" : "pass";
    this.told();
  }

  reasonOf({ id, checks, faults }) {
    if (faults.length) return `${faults.length} of ${checks} checks failed.`;
    const many = (one, more = `${one}s`) => `${checks} ${checks === 1 ? one : more}`;
    return {
      status: `${many("response")} had the expected status.`,
      data: `${many("value")} came back exactly as written.`,
      sql: `${many("query", "queries")} matched what the API returned.`,
      error: `${many("problem")} conform to RFC 9457 and have the request id.`,
      time: this.slowest
        ? `At most ${Math.round(this.slowest.ms)} ms of ${this.slowest.budget} ms: ${named(this.slowest)}.`
        : "",
      log: `${many("request")} found in the log by ${checks === 1 ? "its id" : "their ids"}.`,
      ai: `${many("check")} of Demo's answer and the ledger.`,
    }[id];
  }
}
