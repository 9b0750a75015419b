import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, test } from "node:test";
import { collect, program, ROOT, TestClawkit, until } from "../helpers/clawkit.ts";
import { whyNoNamespaces } from "../helpers/network.ts";
import { connections } from "../helpers/recorded.ts";
import { exits } from "../helpers/results.ts";
import { NatPath, type PathOptions } from "./lab.ts";

// What a client tells of an end, and what the gateway's side saw of the same, through a router that forgot the connection.

const skip = process.env.CI ? false : whyNoNamespaces();

const IDLE_SEC = 3;

describe("a client's 1006, told from both sides", { skip, concurrency: true }, () => {
  test("a silent drop: last byte, the unanswered ping, and that nobody said so", async () => {
    const { told } = await bothSides({
      forgotten: "drop",
      silentSec: 4,
      untilOurs: "client-unreachable",
    });
    assert.match(
      told,
      /client saw 1006 at .+; our side: last byte .+, ping unanswered .+, no FIN or RST ever arrived/,
    );
    assert.match(told, /something between dropped it silently/);
  });

  test("a reset: who sent it, if it was not the client", async () => {
    const { told } = await bothSides({
      forgotten: "reset",
      silentSec: 8,
      untilOurs: "client-reset",
    });
    assert.match(told, /client saw 1006 at .+; our side: last byte .+, reset \(RST\) from the client's side/);
    assert.match(told, /a firewall or load balancer between did/);
  });

  test("a drop that our side has not noticed yet", async () => {
    const { told } = await bothSides({ forgotten: "drop", silentSec: 4, keepaliveSec: 600 });
    assert.match(
      told,
      /client saw 1006 at .+; our side: it is still open, since .+, and no FIN or RST ever arrived/,
    );
  });
});

interface Story {
  readonly forgotten: NonNullable<PathOptions["forgotten"]>;
  /** How long the client says nothing. */
  readonly silentSec: number;
  readonly keepaliveSec?: number;
  /** The cause that our side records, which the client's report may come before. */
  readonly untilOurs?: string;
}

async function bothSides({
  forgotten,
  silentSec,
  keepaliveSec = 5,
  untilOurs,
}: Story): Promise<{ told: string }> {
  using path = new NatPath({ idleSec: IDLE_SEC, forgotten });
  await using clawkit = await TestClawkit.run({
    gateway: {
      bind: "lan",
      upstream: { type: "command", command: program("echo"), trustsEdge: true },
      keepalive: { intervalSec: keepaliveSec, timeoutSec: 2 },
    },
  });
  const [ip, ...words] = path.onClient;
  const script = `${ROOT}/test/fixtures/programs/silent-client.ts`;
  const url = `ws://${path.gateway}:${clawkit.port}`;
  const client = spawn(ip!, [...words, process.execPath, script, url, String(silentSec)]);
  const { stdout } = await collect(client);
  const saw = JSON.parse(stdout.trim().split("\n").at(-1)!) as { code: number; at: string };
  assert.equal(saw.code, 1006);
  await until(async () => {
    const [row] = await connections(clawkit);
    return row?.end?.cause === untilOurs || undefined;
  });
  const report = ["--client-saw", String(saw.code), "--at", saw.at, "--from", path.outside];
  return { told: (await exits(0, clawkit.cli("why", ...report))).stdout };
}
