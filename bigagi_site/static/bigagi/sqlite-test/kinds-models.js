// The tests of services and models, and of the whole way to one and back.

import { readEvents } from "./http.js";
import { chosen } from "./services.js";

const DEMO = "bigagi-demo";
export const FAST = `${DEMO}-fast`;
export const CALL_BUDGET = 15000;
// A provider's model that reasons first takes its time.
const PROVIDER_BUDGET = 120000;
const NEWEST_EVENT = "SELECT coalesce(max(id), 0) FROM metrics_usageevent";
const EVENTS = "SELECT source, service, outcome FROM metrics_usageevent WHERE id = ?";

const models = {
  id: "llms",
  title: "LLMs",
  about: "A service and a model: stored, customised, deleted together. Then one small call to Demo.",
  async run(t) {
    const service = {
      id: t.name("service"),
      vId: "openai",
      label: "sqlite-test",
      setup: { oaiKey: "", oaiHost: "http://127.0.0.1:9" },
    };
    // Hidden, so that no chat can take it for its model meanwhile.
    const model = {
      ...{
        id: `${service.id}-model`,
        label: "Test model",
        sId: service.id,
        vId: "openai",
        hidden: true,
        created: 1,
      },
      ...{
        description: "Ωmega",
        contextTokens: 9000,
        maxOutputTokens: null,
        interfaces: ["oai-chat"],
        parameterSpecs: [],
      },
      ...{
        initialParameters: { llmRef: "model" },
        pricing: { chat: { input: 1.25, output: 10 } },
        ofTheFuture: [null],
      },
    };
    t.made.push({ kind: "service", id: service.id });
    t.same(
      "The created service",
      service,
      (await t.call("POST", "/api/services", { body: service, expect: 201 })).json,
    );
    await t.call("POST", "/api/llms", { body: { llms: [model] } });
    const path = `/api/llms/${model.id}`;
    t.same("The model when read", model, (await t.call("GET", path)).json);
    const patched = await t.call("PATCH", path, { body: { userLabel: "Mine", userContextTokens: 500 } });
    t.same("The model with user settings", { ...model, userLabel: "Mine", userContextTokens: 500 }, patched.json);
    const effective = patched.json?._server?.effective;
    t.same(
      "User settings take precedence",
      ["Mine", 500, true],
      [effective?.label, effective?.contextTokens, effective?.hidden],
    );
    await t.sql(
      "The row of the model",
      "SELECT service_uid, user_label FROM llms_model WHERE uid = ?",
      [model.id],
      [[service.id, "Mine"]],
    );
    await t.problem("PATCH", path, { body: { hidden: "yes" }, status: 400, kind: "bad-request", pointer: "/hidden" });
    await t.call("DELETE", `/api/services/${service.id}?purge=true`, { expect: 204 });
    await t.sql(
      "The service and its model are gone",
      "SELECT (SELECT count(*) FROM llms_service WHERE uid = ?) + (SELECT count(*) FROM llms_model WHERE uid = ?)",
      [service.id, model.id],
      [[0]],
    );
    const { json } = await t.call("POST", `/api/services/${DEMO}/test`, {
      body: { modelId: FAST },
      budget: CALL_BUDGET,
    });
    t.check("ai", "Demo answered", Boolean(json?.text) && json.model === FAST, `a text of ${FAST}`, json);
    t.check("ai", "The call is in the ledger", Number.isInteger(json?.event), "an event number", json?.event);
    await t.sql("The call's event has the source test", EVENTS, [json?.event ?? 0], [["test", DEMO, "done"]]);
  },
};

const STEPS = ["api", "stores", "context", "call", "answer", "data"];

const integration = {
  id: "ai",
  title: "AI integration",
  about: "The full round trip with the service chosen above: database, model, database; in one response, and streamed step by step.",
  async run(t) {
    const service = chosen();
    const isDemo = service === DEMO;
    const budget = isDemo ? CALL_BUDGET : PROVIDER_BUDGET;
    const { json: before } = await t.call("GET", "/api/metrics");
    const { json: whole } = await t.call("POST", "/api/test-ai?stream=false", {
      body: isDemo ? { modelId: FAST } : { serviceId: service },
      budget,
    });
    const bad = (steps) => steps?.find(({ status }) => status !== "ok");
    t.check("ai", "All six steps, in one response", whole?.ok === true, "ok", bad(whole?.steps) ?? whole);
    // It takes its time, so that pieces can be told from a whole.
    const body = isDemo ? { modelId: `${DEMO}-echo` } : { serviceId: service };
    const stream = await t.call("POST", "/api/test-ai", { body, budget });
    const events = readEvents(stream.text);
    const steps = events.filter(({ name }) => name === "step").map(({ data }) => data);
    t.check("ai", "All six steps, streamed", events.at(-1)?.data?.ok === true, "ok", bad(steps) ?? events.at(-1)?.data);
    const isEarly = stream.firstMs < stream.ms / 2;
    t.check(
      "ai",
      "The first step arrives long before the last",
      isEarly,
      "a stream",
      `the first after ${Math.round(stream.firstMs)} of ${Math.round(stream.ms)} ms`,
    );
    t.same(
      "The same steps, in one response and streamed",
      STEPS,
      whole?.steps?.map(({ name }) => name),
    );
    t.same(
      "Streamed",
      STEPS,
      steps.map(({ name }) => name),
    );
    const text = events
      .filter(({ name }) => name === "delta")
      .map(({ data }) => data.text)
      .join("");
    t.same("The answer's text, streamed", events.at(-1)?.data?.answer, text);
    await t.sql(
      "The newest event has the source test",
      `SELECT source, service FROM metrics_usageevent WHERE id = (${NEWEST_EVENT})`,
      [],
      [["test", service]],
    );
    const { json: after } = await t.call("GET", "/api/metrics");
    t.same("Test calls are not counted", before?.services?.[service] ?? null, after?.services?.[service] ?? null);
    await t.problem("POST", "/api/test-ai", {
      body: { modelId: 5 },
      status: 400,
      kind: "bad-request",
      pointer: "/modelId",
    });
  },
};

export const MODEL_KINDS = { models, integration };
