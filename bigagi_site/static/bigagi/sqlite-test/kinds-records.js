// The tests of folders, of a chat's workspace, and of the ledger.

const NO_MODEL = "This test needs no model.";

const folders = {
  id: "folders",
  title: "Folders",
  about: "A folder with every method: made, renamed, filled with a chat, emptied. Your own folders keep their order.",
  skips: { ai: NO_MODEL },
  async run(t) {
    const [id, chat] = [t.name("folder"), t.name("filed")];
    const folder = { id, title: `${id} Ωmega`, color: "#24635f", conversationIds: [], ofTheFuture: { kept: true } };
    const record = { id: chat, userTitle: chat, systemPurposeId: "Generic", messages: [], created: 1, updated: null };
    t.made.push({ kind: "chat", id: chat }, { kind: "folder", id });
    await t.call("POST", "/api/chats", { body: record, expect: 201 });
    const path = `/api/folders/${id}`;
    t.same("The created folder", folder, (await t.call("POST", "/api/folders", { body: folder, expect: 201 })).json);
    t.same("The folder when read", folder, (await t.call("GET", path)).json);
    const { json: patched } = await t.call("PATCH", path, { body: { title: id, color: null } });
    t.same("Title and colour after PATCH", [id, undefined], [patched.title, patched.color ?? undefined]);
    const { json: filled } = await t.call("POST", `${path}/chats`, { body: { ids: [chat] } });
    t.same("The folder with its chat", [chat], filled.conversationIds);
    const { json: filed } = await t.call("GET", `/api/chats?folder=${id}`);
    t.same(
      "The chats of the folder",
      [[chat, [id]]],
      filed.results?.map((each) => [each.id, each._server.folderIds]),
    );
    await t.sql(
      "The row of the folder and its member",
      "SELECT f.title, m.conversation_uid FROM chats_folder f JOIN chats_foldermembership m ON m.folder_id = f.id WHERE f.uid = ?",
      [id],
      [[id, chat]],
    );
    const { json: emptied } = await t.call("DELETE", `${path}/chats/${chat}`);
    t.same("The folder without it", [], emptied.conversationIds);
    await t.problem("POST", "/api/folders", { body: folder, status: 409, kind: "id-taken" });
    await t.call("DELETE", `${path}?purge=true`, { expect: 204 });
    await t.call("GET", `/api/chats/${chat}`);
    await t.sql("The row is gone", "SELECT count(*) FROM chats_folder WHERE uid = ?", [id], [[0]]);
    await t.call("DELETE", `/api/chats/${chat}?purge=true`, { expect: 204 });
  },
};

const workspace = {
  id: "workspace",
  title: "Workspace",
  about: "A text file is stored, put into the workspace of a chat, changed and taken out again.",
  skips: { ai: NO_MODEL },
  async run(t) {
    const [id, space] = [t.name("file"), t.name("space")];
    const content = "Ωmega 🐈\n- one\n";
    const file = { id, name: `${id}.md`, type: "text/markdown", size: 17, content, lastModified: 2, created: 1 };
    t.made.push({ kind: "workspace", id: space }, { kind: "file", id });
    t.same("The created file", file, (await t.call("POST", "/api/files", { body: file, expect: 201 })).json);
    t.same("The file when read", file, (await t.call("GET", `/api/files/${id}`)).json);
    const path = `/api/workspace/${space}`;
    await t.call("POST", `${path}/files`, { body: { ids: [id] } });
    const { json: held } = await t.call("GET", `${path}/files`);
    t.same(
      "The files of the workspace",
      [[id], []],
      [held.results?.map((each) => each.id), held.missing],
    );
    await t.sql(
      "The row of the workspace and its file",
      "SELECT w.uid, f.file_uid FROM workspace_workspace w JOIN workspace_workspacefile f ON f.workspace_id = w.id WHERE w.uid = ?",
      [space],
      [[space, id]],
    );
    const { json: patched } = await t.call("PATCH", `/api/files/${id}`, { body: { content: "another" } });
    t.same("Text and size after PATCH", ["another", 7], [patched.content, patched.size]);
    const text = await t.call("GET", `/api/files/${id}/content`);
    t.same("The text alone", "another", text.text);
    await t.problem("PATCH", `/api/files/${id}`, {
      body: { content: 5 },
      status: 400,
      kind: "bad-request",
      pointer: "/content",
    });
    await t.call("DELETE", `${path}/files/${id}`);
    t.same("The workspace without it", [], (await t.call("GET", `${path}/files`)).json.results);
    await t.call("DELETE", `${path}?purge=true`, { expect: 204 });
    await t.call("DELETE", `/api/files/${id}?purge=true`, { expect: 204 });
    await t.sql(
      "The rows are gone",
      "SELECT (SELECT count(*) FROM workspace_livefile WHERE uid = ?) + (SELECT count(*) FROM workspace_workspace WHERE uid = ?)",
      [id, space],
      [[0]],
    );
  },
};

const metrics = {
  id: "metrics",
  title: "Metrics",
  about: "A call that a program made elsewhere is recorded and priced to the nano-dollar. It is a test's: totals leave it out, and the ledger, which nothing is deleted from, keeps it.",
  skips: { ai: NO_MODEL },
  async run(t) {
    const service = t.name("counted");
    const call = {
      ...{ source: "test", service, vendor: "test", model: `${service}-model`, outcome: "done" },
      ...{ input_tokens: 1200, cache_read_tokens: 300, output_tokens: 45, cost_nano_usd: 1234567891 },
    };
    const { json: event } = await t.call("POST", "/api/metrics", { body: call, expect: 201 });
    t.same("The recorded call", call, Object.fromEntries(Object.keys(call).map((name) => [name, event[name]])));
    const { json: read } = await t.call("GET", `/api/metrics/events/${event.id}`);
    t.same("The call when read", event, read);
    t.same("What was not told is unknown, not 0", null, read.reasoning_tokens);
    const { json: listed } = await t.call("GET", `/api/metrics/events?service=${service}&source=test`);
    t.same(
      "The calls of its service",
      [event.id],
      listed.results?.map(({ id }) => id),
    );
    await t.sql(
      "The row of the ledger",
      "SELECT source, model, input_tokens, cost_nano_usd FROM metrics_usageevent WHERE id = ?",
      [event.id],
      [["test", call.model, 1200, 1234567891]],
    );
    const { json: totals } = await t.call("GET", "/api/metrics");
    t.same("Totals leave it out", undefined, totals.services?.[service]);
    await t.problem("POST", "/api/metrics", {
      body: { source: "test" },
      status: 400,
      kind: "bad-request",
      pointer: "/model",
    });
  },
};

export const RECORD_KINDS = { folders, workspace, metrics };
