import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ClientSocket } from "../../src/client/index.ts";
import type { ConnectionRow } from "../../src/recorder/store.ts";
import { collect, TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { CLAWKIT, CommandLine } from "../helpers/command-line.ts";
import { CutProxy } from "../helpers/cut-proxy.ts";
import { connectParams } from "../helpers/raw-gateway-client.ts";
import { closedAt } from "../helpers/recorded.ts";
import { exits, json } from "../helpers/results.ts";

interface Answer {
  readonly aheadMs: number;
  readonly ends: readonly {
    readonly saw: { readonly code: number; readonly at: number };
    readonly ours: string;
    readonly connection: ConnectionRow | null;
  }[];
}

const PATH = "/the-application";

test("why reads the journal of a clawkit/client: each of its ends beside what we recorded of it", async () => {
  await using clawkit = await TestClawkit.run();
  await using proxy = await CutProxy.start(clawkit.port);
  const socket = new ClientSocket(`ws://${proxy.host}${PATH}`, [], {
    hello: () => connectParams({ auth: { token: TOKEN } }),
  });
  const live = async () => {
    while (socket.state.name !== "live") await once(socket, "state");
  };
  await live();
  proxy.drop();
  await once(socket, "state");
  await live();
  await proxy.outage(300); // tries that do not get here
  await live();
  socket.close(3000, "done");
  await once(socket, "close");
  const rows = await closedAt(clawkit, PATH, 3);

  const ofFile = (args: string[], text = JSON.stringify(socket.journal)) =>
    writeFile(join(clawkit.stateDir, "journal.json"), text).then(() =>
      clawkit.cli("why", "--client-journal", join(clawkit.stateDir, "journal.json"), ...args),
    );
  const { aheadMs, ends } = json<Answer>(await exits(0, ofFile(["--from", "test", "--json"])));
  assert.ok(Math.abs(aheadMs) < 1_000);
  const recorded = ends.filter(({ connection }) => connection !== null);
  assert.deepEqual(
    recorded.map(({ saw, connection }) => [saw.code, connection!.id]),
    rows.toReversed().map(({ id }, i) => [i === 2 ? 3000 : 1006, id]),
  );
  assert.match(recorded[0]!.ours, /without a Close frame|reset/);
  assert.equal(recorded[2]!.ours.split(" ").slice(0, 6).join(" "), "the client itself closed it with");
  for (const { connection, saw, ours } of ends) {
    if (connection !== null) continue;
    assert.equal(saw.code, 1006);
    assert.equal(ours, "no connection of it that began then is recorded");
  }

  // the same, minutes off, as the clocks of clients are
  const shifted = socket.journal.map((state) => ({ ...state, at: state.at + 270_000 }));
  const args = [CLAWKIT, "why", "--client-journal", "-", "--from", "127.0.0.1"];
  const child = spawn(process.execPath, args, { env: clawkit.env });
  child.stdin.end(JSON.stringify(shifted));
  const { stdout } = await exits(0, collect(child));
  assert.match(
    stdout,
    /^The client saw \d+ ends, 3 of them are recorded here, and it is closed since .+; its clock is 4 min ahead of ours$/m,
  );
  for (const { id } of rows) assert.match(stdout, new RegExp(`^ +connection +clawkit why ${id}$`, "m"));

  const nobody = await exits(1, ofFile(["--from", "198.51.100.7"]));
  assert.match(nobody.stderr, /no connection from there is recorded/);
  const empty = await exits(0, ofFile(["--from", "test"], JSON.stringify(socket.journal.slice(0, 2))));
  assert.match(empty.stdout, /^No connection ended in this journal: it is live since /);
});

test("a journal that is none is refused, with what to do", async () => {
  await using line = await CommandLine.create("{}");
  const file = join(line.home, "journal.json");
  const asked = async (text: string, ...args: string[]) => {
    await writeFile(file, text);
    return (await exits(2, line.clawkit("why", "--client-journal", file, ...args))).stderr;
  };
  const from = ["--from", "test"];
  assert.match(
    await asked("no\u001b[2J json", ...from),
    /it is no JSON: [^\u001b]+\. Save what JSON\.stringify/,
  );
  assert.match(await asked('{"name":"live"}', ...from), /all of it must be array\. Save what JSON/);
  assert.match(await asked('[{"name":"gone","text":"","at":1}]', ...from), /\/0\/name must /);
  assert.match(await asked(`[${" ".repeat(1024 * 1024)}]`, ...from), /longer than 1048576 bytes/);
  assert.match(await asked("[]"), /does not say whose it is: add --from its address or id/);
  assert.match(await asked("[]", ...from, "--at", "10m"), /beside it stands only --from/);
  const missing = await exits(2, line.clawkit("why", "--client-journal", join(line.home, "none"), ...from));
  assert.match(missing.stderr, /Cannot read .*none: ENOENT/);
});
