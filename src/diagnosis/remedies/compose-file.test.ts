import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lineDiff } from "../../core/line-diff.ts";
import { type ComposeChange, composeValue, hasService, patchCompose } from "./compose-file.ts";

const RESTART: ComposeChange = { kind: "set", key: "restart", value: "unless-stopped" };
const PUBLISH: ComposeChange = { kind: "publish", port: "127.0.0.1:18789:18789" };
const BIND: ComposeChange = { kind: "bind", value: "lan" };

/** Comments, blank lines, odd spaces and quotes: what must be there after it, too. */
const FILE = `# docker-compose.yml
version:   '3.8'

services:
  openclaw-gateway:   # the one
    image: "openclaw/gateway:latest"   # pinned?

    environment:
      TZ:   UTC
  other:
    image: nginx
# the end
`;

async function linesOf(text: string, ...changes: ComposeChange[]): Promise<string[] | undefined> {
  const after = await patchCompose(text, "openclaw-gateway", changes);
  return after === undefined ? undefined : lineDiff(text, after);
}

describe("a compose file", () => {
  test("gets a restart policy, and is the same everywhere else", async () => {
    const after = (await patchCompose(FILE, "openclaw-gateway", [RESTART]))!;
    const line = "    restart: unless-stopped\n";
    assert.ok(after.includes(`pinned?\n${line}`));
    assert.equal(after.replace(line, ""), FILE);
    assert.equal(await composeValue(after, "openclaw-gateway", "restart"), "unless-stopped");
    assert.equal(await composeValue(after, "other", "restart"), undefined);
  });

  for (const value of ["no", '"no"', "on-failure   # for now", "'always'"]) {
    test(`has its restart policy ${value} replaced`, async () => {
      const text = FILE.replace("    environment:", `    restart: ${value}\n    environment:`);
      const after = (await patchCompose(text, "openclaw-gateway", [RESTART]))!;
      assert.match(after, /\n {4}restart: unless-stopped( {3}# for now)?\n {4}environment:/);
      assert.equal(after.split("\n").length, text.split("\n").length);
    });
  }

  test("gets a port where it has none, and one more where it has some", async () => {
    assert.deepEqual(await linesOf(FILE, PUBLISH), ["+ ports:", '+ - "127.0.0.1:18789:18789"']);
    const some = FILE.replace("    environment:", '    ports:\n      - "80:80"   # web\n    environment:');
    assert.deepEqual(await linesOf(some, PUBLISH), ['+ - "127.0.0.1:18789:18789"']);
    const flow = FILE.replace("    environment:", '    ports: ["80:80"]\n    environment:');
    assert.deepEqual(await linesOf(flow, PUBLISH), [
      '- ports: … "80:80" …',
      '+ ports: … "127.0.0.1:18789:18789", "80:80" …',
    ]);
  });

  const BINDS: Record<string, string> = {
    'command: ["node", "dist/index.js", "gateway", "--bind", "loopback", "--port", "18789"]':
      '"--bind", "lan"',
    "command: node dist/index.js gateway --bind 127.0.0.1 --port 18789": "--bind lan --port",
    "command: [node, dist/index.js, gateway, --bind=loopback]": "--bind=lan]",
    'environment:\n      OPENCLAW_GATEWAY_BIND: "loopback"   # why?': 'BIND: "lan"   # why?',
    "environment:\n      - OPENCLAW_GATEWAY_BIND=localhost": "- OPENCLAW_GATEWAY_BIND=lan",
  };
  for (const [told, expected] of Object.entries(BINDS)) {
    test(`has its bind changed in ${told.split("\n").at(-1)!.trim()}`, async () => {
      const text = `services:\n  openclaw-gateway:\n    image: x\n    ${told}\n`;
      const after = (await patchCompose(text, "openclaw-gateway", [BIND]))!;
      assert.ok(after.includes(expected), after);
      assert.equal(lineDiff(text, after).length, 2);
    });
  }

  test("has several changes made at once, with its own line ends", async () => {
    const name: ComposeChange = { kind: "set", key: "container_name", value: "openclaw-gateway" };
    const text = FILE.replaceAll("\n", "\r\n");
    const after = (await patchCompose(text, "openclaw-gateway", [RESTART, name, PUBLISH]))!;
    assert.ok(!/[^\r]\n/.test(after));
    assert.equal(lineDiff(text, after).length, 4);
  });

  test("says service: as a network in quotes, since a colon stands in it", async () => {
    const share: ComposeChange = { kind: "set", key: "network_mode", value: "service:openclaw-gateway" };
    assert.deepEqual(await linesOf(FILE, share), ['+ network_mode: "service:openclaw-gateway"']);
  });

  const REFUSED: Record<string, [text: string, change: ComposeChange]> = {
    "that cannot be read": ["services: [", RESTART],
    "without the service": ["services:\n  web:\n    image: nginx\n", RESTART],
    "in which the service is in flow style": ["services:\n  openclaw-gateway: { image: x }\n", RESTART],
    "in which the policy is another place's": [
      "x-policy: &p always\nservices:\n  openclaw-gateway:\n    image: x\n    restart: *p\n",
      RESTART,
    ],
    "in which the bind comes from a variable": [
      'services:\n  openclaw-gateway:\n    image: x\n    command: ["gateway", "--bind", "$OPENCLAW_GATEWAY_BIND"]\n',
      BIND,
    ],
    "whose ports are no list": ["services:\n  openclaw-gateway:\n    image: x\n    ports:\n", PUBLISH],
    "whose restart policy is empty": [
      "services:\n  openclaw-gateway:\n    image: x\n    restart:\n",
      RESTART,
    ],
  };
  for (const [name, [text, change]] of Object.entries(REFUSED)) {
    test(`${name} is left alone`, async () => {
      assert.equal(await patchCompose(text, "openclaw-gateway", [change]), undefined);
    });
  }

  test("is known by its services", async () => {
    assert.equal(await hasService(FILE, "other"), true);
    assert.equal(await hasService(FILE, "third"), false);
  });
});

describe("the lines that differ", () => {
  test("are those that are gone and those that are new, without secrets", () => {
    assert.deepEqual(lineDiff("a\nb\nc", "a\nx\nc\nd"), ["- b", "+ x", "+ d"]);
    assert.deepEqual(lineDiff("same", "same"), []);
    assert.deepEqual(lineDiff("a", "run --token abcdefgh"), ["- a", "+ run --token [redacted]"]);
  });

  // --dry-run, the question and --json showed a token that stood in the same line as the bind
  const BESIDE: Record<string, [told: string, words: string]> = {
    "in a list of arguments": ['command: ["node", "--bind", "loopback", "--token", "s3cr3t"]', '"loopback"'],
    "in arguments without quotes": ["command: [node, --bind, loopback, --token, s3cr3t]", "loopback"],
    "in a command line": ["command: node gateway --bind loopback --token s3cr3t", "loopback"],
    "in a map of variables": ["environment: { BIND: loopback, OPENAI: s3cr3t }", "loopback"],
  };
  for (const [where, [told, words]] of Object.entries(BESIDE)) {
    test(`have nothing of what stands beside the change ${where}`, () => {
      const key = told.split(" ")[0];
      assert.deepEqual(lineDiff(`    ${told}`, `    ${told.replace("loopback", "lan")}`), [
        `- ${key} … ${words} …`,
        `+ ${key} … ${words.replace("loopback", "lan")} …`,
      ]);
    });
  }

  test("that hold a list of arguments are shown without its token", () => {
    assert.deepEqual(lineDiff("", 'command: ["node", "--token", "s3cr3t", "--gateway-token", s3cr3t]'), [
      '+ command: ["node", "--token", "[redacted]", "--gateway-token", [redacted]]',
    ]);
    assert.deepEqual(lineDiff('["--token", "s3cr3t"]', '["--token", "other1"]'), []);
  });
});
