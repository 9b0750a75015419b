import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { unzipSync } from "fflate";
import { statePaths } from "../../src/config/paths.ts";
import type { Crash } from "../../src/supervisor/crashes.ts";
import { freePort, program, TestClawkit, until } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { CLAWKIT } from "../helpers/command-line.ts";
import { FailingReceiver } from "../helpers/failing-receiver.ts";
import { ask } from "../helpers/http.ts";
import { titles } from "../helpers/processes.ts";
import { RawClient } from "../helpers/raw.ts";
import { type connectParams, RawGatewayClient } from "../helpers/raw-gateway-client.ts";
import { connections } from "../helpers/recorded.ts";
import { exits, json } from "../helpers/results.ts";

/** Random, and of no shape that anything could know it by. */
function secret(): string {
  return `q${randomBytes(10).toString("hex")}`;
}

/** Every secret of this file, by the door it comes in. */
const SECRETS = {
  "the query of a path": secret(),
  "the query of a plain request": secret(),
  "an Authorization header": secret(),
  "a Cookie header": secret(),
  "the password in an Origin": secret(),
  "a Sec-WebSocket-Protocol header": secret(),
  "auth.token of a connect request": secret(),
  "auth.password of a connect request": secret(),
  "device.signature of a connect request": secret(),
  "a wrong auth.token": secret(),
  "a wrong auth.password": secret(),
  "the config's token": secret(),
  "the config's token, once it was changed": secret(),
  "the config's password": secret(),
  "the environment of a gateway": secret(),
  "the gateway's argument --token": secret(),
  "the gateway's argument --api-key=": secret(),
  "Authorization: Bearer … that the gateway prints": secret(),
  '{"token":"…"} that the gateway prints': secret(),
  "token=… that the gateway prints as its last line": secret(),
  '{"token":"…"} that the gateway prints as its last line': secret(),
  "password=… with which the gateway refuses to start": secret(),
  "token=… in an exception that nobody caught": secret(),
  '{"password":"…"} in an exception that nobody caught': secret(),
  "token=… in an exception of what the gateway had started": secret(),
  "the path of a webhook that answers": secret(),
  "the path of a webhook that is gone": secret(),
  "the path of a heartbeat": secret(),
  "the path of a webhook in a config that is not valid": secret(),
} as const;

/** Where secrets are looked for: a name of the place, and all that it says. */
const places = new Map<string, string>();

let clawkit: TestClawkit;
let receiver: FailingReceiver;

before(async () => {
  receiver = await FailingReceiver.listen();
  const gone = await freePort();
  clawkit = await TestClawkit.create({
    ...withCommand(),
    alerts: {
      webhooks: [
        { url: `${receiver.origin}/hooks/${SECRETS["the path of a webhook that answers"]}`, format: "json" },
        {
          url: `http://127.0.0.1:${gone}/hooks/${SECRETS["the path of a webhook that is gone"]}`,
          format: "slack",
        },
      ],
      heartbeat: { url: `http://127.0.0.1:${gone}/ping/${SECRETS["the path of a heartbeat"]}` },
    },
  });
  const env = { MY_API_TOKEN: SECRETS["the environment of a gateway"] };
  await exits(0, clawkit.spawnAndWait(process.execPath, [CLAWKIT, "gateway", "start"], env));
  await comeThroughEveryHeader();
  await dieOfExceptions();
  await dieWithLastLines();
  await changeTheToken();
  await comeToTheBuiltInGateway();
  await look("while it runs");
  await makeAMistake();
  await exits(0, clawkit.cli("gateway", "stop"));
  await look("when all is stopped");
  for (const [i, body] of receiver.bodies.entries()) places.set(`message ${i + 1} to the webhook`, body);
});
after(async () => {
  await clawkit?.[Symbol.asyncDispose]();
  receiver?.close();
});

describe("what secrets go through does go through", () => {
  test("the gateway's lines are logged", () => {
    assert.match(placesNamed(/logs\/gateway\.log/), /Authorization/);
  });

  test("its ends are kept as crashes, of each kind", async () => {
    const crashes = JSON.parse(placesNamed(/^clawkit crash list --json/)) as Crash[];
    assert.deepEqual(crashes.map(({ exit }) => exit.cause).toSorted(), [
      "config-refused-at-startup",
      "uncaught-exception-crash",
      "uncaught-exception-crash",
      "unexplained-exit",
      "unexplained-exit",
    ]);
    assert.match(placesNamed(/crash export .*report\.json/), /javascriptStack/);
  });

  test("alerts are received, and those that are not are logged", () => {
    assert.match(receiver.bodies.join("\n"), /incident-opened/);
    assert.match(receiver.bodies.join("\n"), /incident-closed/);
    const log = placesNamed(/logs\/supervisor\.log/);
    assert.match(log, /alert to 127\.0\.0\.1:\d+ failed: HTTP 500/);
    assert.match(log, /alert to 127\.0\.0\.1:\d+ failed: ECONNREFUSED/);
    assert.match(log, /heartbeat could not be sent/);
  });

  test("connections are recorded", async () => {
    const rows = JSON.parse(placesNamed(/^clawkit connections .*--json/)) as {
      path: string;
      origin: string;
    }[];
    assert.ok(rows.some(({ path }) => path === "/door"));
    assert.ok(rows.some(({ origin }) => origin?.endsWith("elsewhere.test")));
  });
});

// config.json5 and its last valid copy may have the secrets of the config: only their mode is looked at
describe("no secret is in any row, log, crash, alert, output or title:", () => {
  for (const [door, value] of Object.entries(SECRETS)) {
    test(door, () => {
      const found = [...places].filter(([, text]) => text.includes(value));
      const lines = found.map(([place, text]) => `${place}: ${around(text, value)}`);
      assert.ok(found.length === 0, `it is in ${found.length} places\n${lines.join("\n")}`);
    });
  }
});

/** All that a client can send before a gateway reads its first frame. */
async function comeThroughEveryHeader(): Promise<void> {
  const lines = [
    `Authorization: Bearer ${SECRETS["an Authorization header"]}`,
    `Cookie: session=${SECRETS["a Cookie header"]}`,
    `Sec-WebSocket-Protocol: openclaw, auth.${SECRETS["a Sec-WebSocket-Protocol header"]}`,
  ];
  const path = `/door?token=${SECRETS["the query of a path"]}`;
  using client = await RawClient.upgrade(clawkit.port, { path, lines });
  const origin = `https://somebody:${SECRETS["the password in an Origin"]}@elsewhere.test`;
  await new TestClient(clawkit.url + path, { origin }).ended;
  await ask(clawkit.port, `/page?token=${SECRETS["the query of a plain request"]}`);
  // the same, in an upgrade that is none
  using broken = await RawClient.connect(clawkit.port);
  broken.send(`GET ${path} HTTP/1.1\r\nHost: gateway.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`);
  broken.send(`${lines.join("\r\n")}\r\n\r\n`);
  await broken.over();
  client.socket.end();
}

async function dieOfExceptions(): Promise<void> {
  await asked({
    out: [
      `Authorization: Bearer ${SECRETS["Authorization: Bearer … that the gateway prints"]}`,
      `{"token":"${SECRETS['{"token":"…"} that the gateway prints']}"}`,
      `clients need ${SECRETS["the config's token"]} or ${SECRETS["the config's password"]}`,
    ],
    err: [
      `sent > authorization: Bearer ${SECRETS["Authorization: Bearer … that the gateway prints"]}`,
      `sent > {"auth":{"token":"${SECRETS['{"token":"…"} that the gateway prints']}"}}`,
      `clients need ${SECRETS["the config's token"]} or ${SECRETS["the config's password"]}`,
      `my environment: MY_API_TOKEN=${SECRETS["the environment of a gateway"]}`,
    ],
    helper: `token=${SECRETS["token=… in an exception of what the gateway had started"]} is wrong`,
  });
  await dies({
    throw: `cannot log in with https://elsewhere.test/?token=${SECRETS["token=… in an exception that nobody caught"]}`,
  });
  await dies({
    throw: `cannot log in with {"password":"${SECRETS['{"password":"…"} in an exception that nobody caught']}"}`,
  });
}

/** Their last line is in what is said about their end. */
async function dieWithLastLines(): Promise<void> {
  await dies({
    err: [`no access with token=${SECRETS["token=… that the gateway prints as its last line"]}`],
    exit: 1,
  });
  await lookAtStatus("after one last line");
  await dies({
    err: [`no access: {"token":"${SECRETS['{"token":"…"} that the gateway prints as its last line']}"}`],
    exit: 1,
  });
  await lookAtStatus("after another last line");
  await tell({
    err: [`invalid: password=${SECRETS["password=… with which the gateway refuses to start"]}`],
    exit: 78,
  });
  await clawkit.untilStatus(({ state, gateway }) => state === "unhealthy" && gateway.lastExit?.code === 78);
  const held = await new TestClient(`${clawkit.url}/refused`).ended;
  places.set("the close reason of a client of a gateway that refused", held.reason);
  await lookAtStatus("after a refusal");
  await exits(0, clawkit.cli("gateway", "restart"));
}

async function changeTheToken(): Promise<void> {
  const token = SECRETS["the config's token, once it was changed"];
  await exits(0, clawkit.cli("config", "set", "gateway.auth.token", JSON.stringify(token)));
  await exits(0, clawkit.cli("gateway", "restart"));
  await asked({ out: [`clients now need ${token}`] });
}

async function comeToTheBuiltInGateway(): Promise<void> {
  await exits(0, clawkit.cli("config", "set", "gateway.upstream", '{type: "builtin"}'));
  await exits(0, clawkit.cli("gateway", "restart"));
  const token = SECRETS["the config's token, once it was changed"];
  await connect({ auth: { token } });
  await connect({
    auth: { token, password: SECRETS["auth.password of a connect request"] },
    device: device(),
  });
  await connect({ auth: { token: SECRETS["a wrong auth.token"] }, device: device() });
  await connect({ auth: { token: SECRETS["auth.token of a connect request"] } });

  await exits(0, clawkit.cli("config", "set", "gateway.auth.mode", '"password"'));
  await exits(0, clawkit.cli("gateway", "restart"));
  await connect({ auth: { password: SECRETS["the config's password"] } });
  await connect({ auth: { password: SECRETS["a wrong auth.password"] } });
}

/** What is refused is said, and who asked for it may show that to others. */
async function makeAMistake(): Promise<void> {
  const path = SECRETS["the path of a webhook in a config that is not valid"];
  const webhooks = `[{url: "http://a.test/${path}", format: "smoke"}]`;
  const { stdout, stderr } = await exits(78, clawkit.cli("config", "set", "alerts.webhooks", webhooks));
  places.set("clawkit config set, refused", stdout + stderr);
}

async function connect(params: Parameters<typeof connectParams>[0]): Promise<void> {
  using client = new RawGatewayClient(`${clawkit.url}/connect`);
  const { ok } = await client.connect(params);
  if (!ok) await client.ended;
}

function device() {
  const signature = SECRETS["device.signature of a connect request"];
  return { id: "device-1", publicKey: "public-key", signature, signedAt: Date.now(), nonce: "nonce" };
}

function withCommand() {
  const command = program(
    "indiscreet",
    "--token",
    SECRETS["the gateway's argument --token"],
    `--api-key=${SECRETS["the gateway's argument --api-key="]}`,
  );
  const auth = {
    mode: "token",
    token: SECRETS["the config's token"],
    password: SECRETS["the config's password"],
  };
  return { gateway: { upstream: { type: "command", command }, auth, hold: { maxSec: 5 } } };
}

/** Has the gateway do what is wished; resolves when it did. */
async function asked(wish: object): Promise<void> {
  const client = new TestClient(clawkit.url);
  await client.opened;
  assert.equal(await client.echo(JSON.stringify(wish)), "done");
  client.socket.close(1000);
  await client.ended;
}

/** Has the gateway do what is wished; resolves when the connection is over. */
async function tell(wish: object): Promise<void> {
  const client = new TestClient(clawkit.url);
  await client.opened;
  client.socket.send(JSON.stringify(wish));
  await client.ended;
}

/** The same for a wish that ends it: resolves when all evidence is kept, and another one serves. */
async function dies(wish: object): Promise<void> {
  const { generation } = (await clawkit.status()).gateway;
  await tell(wish);
  await clawkit.untilStatus(({ state, gateway }) => state === "healthy" && gateway.generation! > generation!);
  await until(async () =>
    new RegExp(`"generation":${generation},[^\\n]*"event":"cause"`).test(await clawkit.runLog()),
  );
}

/** Notes all that can be seen at this moment. */
async function look(when: string): Promise<void> {
  await lookAtStatus(when);
  const commands = [
    ["logs", "--limit", "10000"],
    ["why"],
    ["incidents"],
    ["connections", "--limit", "1000"],
    ["crash", "list"],
    ["config", "get"],
    ["config", "validate"],
  ];
  await Promise.all(commands.map((command) => lookAtOutput(command, when)));
  const incidents = json<{ id: string }[]>(await exits(0, clawkit.cli("incidents", "--json")));
  const [row] = await connections(clawkit);
  for (const { id } of [...incidents, row!]) await lookAtOutput(["why", id], when);
  const crashes = json<Crash[]>(await exits(0, clawkit.cli("crash", "list", "--json")));
  for (const { name } of crashes) await lookAtCrash(name, when);
  await lookAtFiles(when);
}

/** How it says that it is, and what `ps` shows of it. */
async function lookAtStatus(when: string): Promise<void> {
  await lookAtOutput(["gateway", "status"], when);
  const status = await clawkit.status().catch(() => undefined);
  for (const who of ["supervisor", "edge"] as const) {
    const pid = status?.[who].pid;
    if (pid != null) places.set(`the title of the ${who}, ${when}`, await titles(pid));
  }
}

/** As text and as JSON. */
async function lookAtOutput(command: readonly string[], when: string): Promise<void> {
  const lines = [command, [...command, "--json"]];
  await Promise.all(
    lines.map(async (line) => {
      const { stdout, stderr } = await clawkit.cli(...line);
      places.set(`clawkit ${line.join(" ")}, ${when}`, stdout + stderr);
    }),
  );
}

async function lookAtCrash(name: string, when: string): Promise<void> {
  await lookAtOutput(["crash", "show", name], when);
  const target = join(clawkit.stateDir, `${name}-${places.size}.zip`);
  await exits(0, clawkit.cli("crash", "export", name, "--output", target));
  for (const [file, bytes] of Object.entries(unzipSync(await readFile(target)))) {
    places.set(`clawkit crash export ${file}, ${when}`, Buffer.from(bytes).toString("latin1"));
  }
}

/** Every file below the state directory, byte by byte, and the rows of the store. */
async function lookAtFiles(when: string): Promise<void> {
  const { stateDir, config, lastValidConfig, recorder } = statePaths(clawkit.stateDir);
  for (const copy of [config, lastValidConfig]) assert.equal((await stat(copy)).mode & 0o077, 0, copy);
  for (const entry of await readdir(stateDir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || path === config || path === lastValidConfig || path.endsWith(".zip")) continue;
    places.set(`${relative(stateDir, path)}, ${when}`, await readFile(path, "latin1"));
  }
  const db = new DatabaseSync(recorder, { readOnly: true });
  for (const { name } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()) {
    const rows = db.prepare(`SELECT * FROM ${name}`).all();
    places.set(`rows of ${name}, ${when}`, rows.map((row) => JSON.stringify(row)).join("\n"));
  }
  db.close();
}

/** The latest place of that name. */
function placesNamed(pattern: RegExp): string {
  const found = [...places].findLast(([place]) => pattern.test(place));
  assert.ok(found !== undefined, `nobody looked at ${pattern}`);
  return found[1];
}

function around(text: string, value: string): string {
  const at = text.indexOf(value);
  return JSON.stringify(text.slice(Math.max(0, at - 60), at + value.length + 10));
}
