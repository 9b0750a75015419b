import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { allCauses } from "./causes/index.ts";
import { explainText, textRules } from "./explain.ts";
import { decode } from "./facts/plain.ts";

interface Report {
  readonly id: string;
  readonly text: string;
  readonly cause: string;
}

const lines = <T>(name: string): T[] =>
  readFileSync(new URL(`../../test/fixtures/reports/${name}`, import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);

const reports = lines<Report>("reports.jsonl");
const known = reports.filter(({ cause }) => cause !== "unknown");

/** The causes that hold, best first. */
function causesOf(text: string): string[] {
  return explainText(text)
    .causes.filter(({ verdict }) => verdict !== "ruled out")
    .map(({ id }) => id);
}

function share<T>(items: readonly T[], is: (item: T) => boolean): number {
  return items.filter(is).length / items.length;
}

describe("real reports whose cause was established", () => {
  test("have it first in 95 of 100", () => {
    assert.ok(share(known, ({ text, cause }) => causesOf(text)[0] === cause) >= 0.95);
  });

  test("have it among three in 97 of 100", () => {
    assert.ok(share(known, ({ text, cause }) => causesOf(text).slice(0, 3).includes(cause)) >= 0.97);
  });
});

test("real reports whose cause was never established are inconclusive", () => {
  for (const { id, text, cause } of reports) {
    if (cause === "unknown") assert.equal(explainText(text).verdict, "inconclusive", id);
  }
});

/** What is neither confirmed nor likely for anything. */
const inconclusive = {
  "unrelated.jsonl": "texts about something else",
  "other-gateways.jsonl": "texts about gateways of other programs",
  "denied-or-guessed.jsonl": "denials, guesses and questions about OpenClaw's",
};

for (const [name, what] of Object.entries(inconclusive)) {
  describe(`${what} are inconclusive`, () => {
    for (const { what, text } of lines<{ what: string; text: string }>(name)) {
      test(what, () => assert.equal(explainText(text).verdict, "inconclusive"));
    }
  });
}

describe("texts of any size are read", () => {
  for (const text of ["", " \n", "\0\0"]) {
    test(`nothing: ${JSON.stringify(text)}`, () => assert.deepEqual(explainText(text).causes, []));
  }

  test("10 MB of log, the cause in its last line", () => {
    const log = "2026-11-02T10:00:00Z [ws] res sessions.list 5ms, timeout of 5 s\n".repeat(160_000);
    const { causes } = explainText(`${log}[openclaw] Unhandled promise rejection: TypeError: fetch failed`);
    assert.equal(causes[0]?.id, "uncaught-exception-crash");
  });

  test("10 MB of noise, in no time", () => {
    assert.equal(explainText(randomBytes(10 * 1024 * 1024).toString("latin1")).verdict, "inconclusive");
  });

  test("10 MB in one line", () => {
    assert.equal(explainText("a gateway is a gate ".repeat(500_000)).verdict, "inconclusive");
  });
});

describe("the traps", () => {
  test("10061 is no 1006", () => {
    const { facts } = explainText("connectex: No connection could be made, error 10061");
    assert.ok(!facts.some(({ id }) => id === "abnormal-close-told"));
  });

  test("a bare 1006 confirms nothing, and may be what it mostly is in the field", () => {
    const { verdict, causes } = explainText(
      "gateway closed (1006 abnormal closure (no close frame)): no close reason",
    );
    assert.equal(verdict, "inconclusive");
    assert.deepEqual(causes.map(({ id, verdict }) => `${id} ${verdict}`).sort(), [
      "event-loop-blocked possible",
      "not-listening possible",
    ]);
  });

  test("OpenClaw's own list of possible causes is no evidence for them", () => {
    const error = "gateway closed (1006 abnormal closure (no close frame)): no close reason\n";
    const hints =
      "Possible causes:\n- Gateway crashed or was terminated unexpectedly\n- TLS mismatch (connecting with ws:// to a wss:// gateway, or vice versa)\n";
    assert.deepEqual(causesOf(error + hints), causesOf(error));
  });

  test("what a status prints of its own port is no conflict if a living gateway rejected the client", () => {
    const text =
      "gateway closed (1008): unauthorized: device token mismatch\nPort 18789 is already in use.\n- pid 76036 ubuntu: openclaw-gateway (127.0.0.1:18789)";
    assert.deepEqual(causesOf(text)[0], "pairing-or-auth-rejected");
  });

  test("Discord's own socket is not the gateway's", () => {
    const text = "[discord] gateway: WebSocket connection closed with code 1006\n[openclaw] gateway ready";
    assert.equal(explainText(text).verdict, "inconclusive");
  });
});

describe("the evidence", () => {
  test("is the line, with its number", () => {
    const { causes } = explainText(
      "one\ntwo: another gateway instance is already listening on ws://127.0.0.1:18789\nthree",
    );
    assert.deepEqual(causes[0]?.evidence, [
      {
        id: "port-taken-said",
        detail: "two: another gateway instance is already listening on ws://127.0.0.1:18789",
        source: "line 2",
        weight: "quoted",
      },
    ]);
  });

  const full = "ENOSPC: no space left on device, write '/home/a/.openclaw/state.sqlite'";
  const weights: readonly [string, string, string][] = [
    ["a line of a log confirms", `2026-11-02T10:00:00Z [openclaw] ${full}`, "confirmed"],
    ["a line of systemd confirms", `Nov 02 10:00:00 box node[812]: openclaw: ${full}`, "confirmed"],
    ["a program's words in prose make it likely", `My openclaw says ${full} when it starts`, "likely"],
    ["a guess makes it possible", `Maybe openclaw has ${full}`, "possible"],
  ];
  for (const [what, text, verdict] of weights) {
    test(what, () => {
      const found = explainText(text).causes.find(({ id }) => id === "disk-full");
      assert.equal(found?.verdict, verdict);
    });
  }

  test("is not what the line denies, and still what another line says", () => {
    const denied = "openclaw: there is no ENOSPC in the log";
    assert.ok(!causesOf(denied).includes("disk-full"));
    assert.equal(causesOf(`${denied}\n2026-11-02T10:00:00Z [openclaw] ${full}`)[0], "disk-full");
  });
});

describe("a text says the same", () => {
  const wide = (text: string) => Buffer.from(text, "utf16le");
  const each = (text: string, of: (line: string) => string) => text.split("\n").map(of).join("\n");
  const forms: Readonly<Record<string, (text: string) => string>> = {
    "with Windows' line ends": (text) => text.replaceAll("\n", "\r\n"),
    "with a byte order mark": (text) => decode(Buffer.from(`\uFEFF${text}`)),
    "in the UTF-16 of PowerShell's redirection": (text) =>
      decode(Buffer.concat([Buffer.from([0xff, 0xfe]), wide(text)])),
    "in UTF-16, big end first": (text) =>
      decode(Buffer.concat([Buffer.from([0xfe, 0xff]), wide(text).swap16()])),
    "in UTF-16 without a mark": (text) => decode(wide(text)),
    "in colours": (text) =>
      each(text, (line) => `\u001b[31m${line.slice(0, 5)}\u001b[0m${line.slice(5)}\u001b[K`),
    "in lines of JSON": (text) => each(text, (line) => JSON.stringify({ level: 50, msg: line })),
    "in Docker's log files": (text) =>
      each(text, (line) => JSON.stringify({ log: `${line}\n`, stream: "stderr" })),
  };
  const told = (text: string) =>
    explainText(text).causes.map(({ id, verdict, evidence }) => [
      id,
      verdict,
      evidence.map(({ source }) => source),
    ]);
  for (const [form, as] of Object.entries(forms)) {
    test(form, () => {
      for (const { id, text } of reports) assert.deepEqual(told(as(text)), told(text), id);
    });
  }

  test("in OpenClaw's own JSON: the area and the time belong to the line", () => {
    const line = {
      "0": JSON.stringify({ subsystem: "gateway" }),
      "1": "received SIGUSR1; restarting",
      time: "2026-11-02T10:00:00.000Z",
    };
    const { facts } = explainText(JSON.stringify(line));
    const restart = facts.find(({ id }) => id === "restart-signal-said");
    assert.equal(restart?.detail, "2026-11-02T10:00:00.000Z [gateway] received SIGUSR1; restarting");
    assert.equal(restart?.weight, "logged");
  });
});

/** `port-` and whose it is, `ours-` and our state, `clients-` and the cause of their ends. */
const MADE_UP_OF_PARTS = /^(port|ours|clients)-[a-z-]+$/;

describe("the rules", () => {
  const rules = new Set(textRules.map(({ id }) => id));

  test("have names of their own", () => {
    assert.equal(rules.size, textRules.length);
  });

  test("are each used by a cause", () => {
    const groups = allCauses.flatMap(({ confirmedBy = [], likelyIf = [], possibleIf = [] }) => [
      ...confirmedBy,
      ...likelyIf,
      ...possibleIf,
    ]);
    const used = new Set([...groups.flat(), ...allCauses.flatMap(({ ruledOutBy = [] }) => ruledOutBy)]);
    used.add("about-gateway"); // decides whether a text may be more than possible
    assert.deepEqual(
      [...rules].filter((id) => !used.has(id)),
      [],
    );
  });

  const looks = globSync("src/diagnosis/facts/*.ts")
    .map((path) => readFileSync(path, "utf8"))
    .join("");
  const isFact = (id: string) => rules.has(id) || looks.includes(`"${id}"`) || MADE_UP_OF_PARTS.test(id);

  for (const cause of allCauses) {
    test(`of ${cause.id} rest on facts that something can say, and its roots are causes`, () => {
      const groups = [...(cause.confirmedBy ?? []), ...(cause.likelyIf ?? []), ...(cause.possibleIf ?? [])];
      for (const id of [...groups.flat(), ...(cause.ruledOutBy ?? [])]) assert.ok(isFact(id), id);
      for (const id of cause.because ?? []) {
        assert.ok(
          allCauses.some((other) => other.id === id),
          id,
        );
      }
    });
  }
});
