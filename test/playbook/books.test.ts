import assert from "node:assert/strict";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { parseConfig } from "../../src/config/parse.ts";
import { causes as endCauses } from "../../src/core/causes.ts";
import { closeCodes } from "../../src/core/close-codes.ts";
import { allCauses } from "../../src/diagnosis/causes/index.ts";
import { allLooks } from "../../src/diagnosis/doctor.ts";
import {
  frontMatterOf,
  isTypedOn,
  type PlaybookLine,
  parsePlaybook,
  type Shell,
} from "../../src/diagnosis/playbook.ts";
import { answersTo, OF_SINGLE_CLIENTS } from "../../src/diagnosis/playbook-here.ts";
import { allSteps, stepFor } from "../../src/diagnosis/steps/index.ts";
import { ROOT } from "../helpers/clawkit.ts";
import { problemOf } from "./commands.ts";

const FOLDER = join(ROOT, "playbooks");
const names = readdirSync(FOLDER).sort();
const books = names.map((name) => {
  const markdown = readFileSync(join(FOLDER, name), "utf8");
  const sections = parsePlaybook(markdown);
  return { name, markdown, sections, lines: sections.flatMap(({ lines }) => lines) };
});

const inferable = new Set(allCauses.map(({ id }) => id));
const known = new Set([...inferable, ...Object.keys(endCauses)]);

/** Programs of the systems, where a page needs them. */
const OF_SYSTEMS =
  /^(ps|tasklist|lsof|netstat|curl|curl\.exe|env|set|which|where|pmset|journalctl|powercfg|docker|for|Get-Command|@\(Get-ChildItem) /;

/** What the real OpenClaw has and our alias has not: docs.openclaw.ai/cli. */
const OF_OPENCLAW = [
  "openclaw --version",
  "openclaw config set gateway.reload.mode off",
  "openclaw devices approve REQUEST_ID",
  "openclaw devices list",
  "openclaw gateway install --force",
];

/** Sections that a page is not complete without, in this order. */
const SECTIONS = (code: number) => [
  /^.+ Playbook$/,
  new RegExp(`^What ${code} Means$`),
  /^Next Step$/,
  /^1-Minute Recovery Sequence$/,
  /^Root Cause 1: /,
  new RegExp(`^Still Getting ${code}\\?$`),
  /^Related Playbooks$/,
  /^Did this guide solve your problem\?$/,
];

test("there is one for each code that a client of OpenClaw or ClawKit can see as a fault", () => {
  assert.deepEqual(
    names,
    [1001, 1002, 1006, 1008, 1009, 1011, 1012, 1013, 4000, 4001].map((code) => `${code}.md`),
  );
  // 1006 is no code that is sent
  for (const { markdown } of books.filter(({ name }) => name !== "1006.md")) {
    const { code } = frontMatterOf(markdown);
    assert.ok(
      closeCodes.some((one) => one.code === code),
      `${code} is in no registry`,
    );
  }
});

for (const { name, markdown, sections, lines } of books) {
  describe(`playbooks/${name}`, () => {
    const front = frontMatterOf(markdown);

    test("has front matter that any reader of YAML reads the same", () => {
      assert.deepEqual(parse(/^---\n([\s\S]*?)\n---\n/.exec(markdown)![1]!), front);
      assert.equal(`${front.code}.md`, name);
      assert.equal(sections[0]!.heading, front.title);
    });

    test("names causes that there are, and says something about each", () => {
      const told = new Set(sections.flatMap(({ causes }) => causes));
      for (const id of front.causes) assert.ok(known.has(id), `there is no cause ${id}`);
      for (const id of told) assert.ok(inferable.has(id), `the doctor finds no ${id}`);
      assert.deepEqual(
        front.causes.filter((id) => inferable.has(id) && !told.has(id)),
        [],
      );
    });

    test("has all sections, in their order, each with something in it", () => {
      const headings = sections.map(({ heading }) => heading);
      const wanted = SECTIONS(front.code);
      const at = wanted.map((pattern) => headings.findIndex((heading) => pattern.test(heading)));
      assert.ok(!at.includes(-1), `missing: ${wanted[at.indexOf(-1)]}`);
      assert.deepEqual(
        [...at].sort((a, b) => a - b),
        at,
      );
      const last = sections.at(-1)!;
      assert.deepEqual(
        sections
          .filter((section, i) => section.lines.length === 0 && !hasSubsections(sections, i))
          .filter((section) => section !== last)
          .map(({ heading }) => heading),
        [],
      );
      const numbers = headings.flatMap((heading) => /^Root Cause (\d+): /.exec(heading)?.[1] ?? []);
      assert.deepEqual(
        numbers,
        numbers.map((_, i) => String(i + 1)),
      );
      const next = sections.find(({ heading }) => heading === "Next Step")!.lines.map(({ text }) => text);
      assert.ok(next.some((text) => text.startsWith("clawkit doctor")) && next.includes("clawkit harden"));
    });

    test("says what the evidence says", () => {
      const notes = lines.filter(({ kind }) => kind === "evidence");
      assert.ok(notes.length > 0);
    });

    test("has only commands that there are", () => {
      const problems = commandsOf(lines).flatMap((command) => problemWith(command) ?? []);
      assert.deepEqual(problems, []);
    });

    test("names only commands that there are in its sentences, too", () => {
      const named = [...markdown.matchAll(/`((?:clawkit|openclaw) [^`]+)`/g)].map((match) => match[1]!);
      assert.deepEqual(
        named.flatMap((command) => problemWith(command) ?? []),
        [],
      );
    });

    test("sets only keys of the config that there are", () => {
      for (const command of commandsOf(lines)) {
        const [, verb, key, value] =
          /^clawkit config (get|set) (\S+)(?: (.*))?$/.exec(command) ?? ([] as string[]);
        if (verb === undefined) continue;
        assert.doesNotThrow(() => parseConfig(configWith(key!, value)), command);
      }
    });

    test("has a command for every shell where it has one for some", () => {
      for (const { heading, lines } of sections) {
        const named = new Set(lines.flatMap(({ shells }) => shells ?? []));
        if (named.size > 0) assert.deepEqual([...named].sort(), ALL_SHELLS, heading);
      }
    });

    test("has links that lead somewhere", () => {
      for (const [, text, target] of markdown.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)) {
        if (target!.startsWith("https:")) assert.ok(URL.canParse(target!), target);
        else assert.ok(existsSync(join(FOLDER, target!)), `${text} leads to ${target}`);
      }
      assert.ok(
        !/\]\((?!https:|\d{4}\.md\))/.test(markdown),
        "a link is neither to a playbook nor to the web",
      );
    });

    test("has steps that are answered from looks that there are", () => {
      const looks = allLooks.map(({ id }) => id);
      const facts = factIds().map((id) => ({ id, detail: id, source: "" }));
      for (const line of lines) {
        const platform = PLATFORMS.find((one) => isTypedOn(one, line))!;
        const answer = answersTo(line, { facts, notLooked: [] }, platform)?.found;
        const look = /^clawkit doctor --only (\S+)/.exec(line.text)?.[1];
        if (look !== undefined) {
          assert.ok(looks.includes(look), `there is no look ${look}`);
          assert.notEqual(answer, undefined, `nothing answers ${line.text}`);
        }
        assert.notDeepEqual(answer, ["nothing was found"], `no look finds what answers ${line.text}`);
      }
      // the step that everybody begins with is answered
      const first = sections.find(({ heading }) => heading === "1-Minute Recovery Sequence")!;
      assert.ok(first.lines.some((line) => stepFor(line, "linux") !== undefined));
    });
  });
}

describe("every command of the pages", () => {
  const commands = new Set(books.flatMap(({ lines }) => commandsOf(lines)));

  test("can be run here, or it is known why not", () => {
    const runs = new Set(
      books.flatMap(({ lines }) =>
        lines
          .filter((line) => PLATFORMS.some((platform) => stepFor(line, platform) !== undefined))
          .map(({ text }) => text),
      ),
    );
    assert.deepEqual([...commands].filter((text) => !runs.has(text)).sort(), [...NOT_RUN].sort());
  });

  test("that is answered has a step, and every step a command", () => {
    for (const { command } of allSteps) {
      assert.ok(
        [...commands].some((text) => command.test(text)),
        `no page has ${command}`,
      );
    }
    const looks = allLooks.map(({ id }) => id);
    for (const step of allSteps) {
      const rests = step.kind === "facts" ? step.looks : [];
      assert.deepEqual(
        rests.filter((id) => !looks.includes(id)),
        [],
      );
      const problem = step.kind === "own" ? problemOf(`clawkit ${step.args.join(" ")} --json`) : undefined;
      assert.equal(problem, undefined);
    }
  });
});

/** They need something of a person, change more than whether the gateway runs, or are another program's to do. */
const NOT_RUN = [
  "clawkit config set gateway.allowedOrigins \"['https://panel.example.com']\"",
  "clawkit config set gateway.keepalive.enabled true",
  "clawkit config set gateway.keepalive.intervalSec 20",
  "clawkit config set gateway.limits.maxConnections 20000",
  "clawkit config set gateway.trustedProxies \"['127.0.0.1']\"",
  "clawkit config set gateway.upstream.trustsEdge true",
  "clawkit doctor --fix",
  "clawkit doctor --url wss://gateway.example.com",
  "clawkit explain",
  "clawkit gateway install",
  "clawkit gateway restart --all",
  "clawkit why CONNECTION",
  "docker compose up -d openclaw-gateway",
  "for /f \"tokens=5\" %a in ('netstat -ano ^| findstr :18789') do taskkill /PID %a /F",
  "lsof -ti :18789 | xargs kill -9",
  "openclaw config set gateway.reload.mode off",
  "openclaw devices approve REQUEST_ID",
  "openclaw devices list",
  "openclaw doctor --fix",
  "openclaw gateway install --force",
];

test("what one client can have are causes that there are", () => {
  assert.deepEqual(
    [...OF_SINGLE_CLIENTS].filter((id) => !inferable.has(id)),
    [],
  );
});

describe("problemOf", () => {
  for (const [command, problem] of [
    ["clawkit gateway restart --all", undefined],
    ["clawkit logs --source gateway --since 10m", undefined],
    ["clawkit config set gateway.trustedProxies \"['127.0.0.1', '::1']\"", undefined],
    ["clawkit doctor", undefined],
    ["clawkit gateway restart --nobody", "restart has no option --nobody"],
    ["clawkit gateway explode", "gateway has no command explode"],
    ["clawkit explode", "clawkit has no command explode"],
    ["clawkit gateway", "gateway has no command named"],
    ["clawkit config set gateway.port", "set needs 2 values"],
    ["clawkit ps aux", "ps takes no value aux"],
    ["clawkit doctor --only", "--only needs a value"],
  ] as const) {
    test(`${command}: ${problem ?? "fine"}`, () => assert.equal(problemOf(command), problem));
  }
});

const ALL_SHELLS: readonly Shell[] = ["cmd", "linux", "macos", "powershell"];
const PLATFORMS: readonly NodeJS.Platform[] = ["linux", "darwin", "win32"];

/** What a person types: no comments, and no lines of a compose file. */
function commandsOf(lines: readonly PlaybookLine[]): string[] {
  return lines
    .filter(({ kind, text }) => kind === "code" && text !== "" && !text.startsWith("#"))
    .map(({ text }) => text)
    .filter((text) => !/^( |services:)/.test(text));
}

function problemWith(command: string): string | undefined {
  if (OF_OPENCLAW.includes(command) || OF_SYSTEMS.test(command)) return undefined;
  const ours = /^(clawkit|openclaw) /.test(command);
  const problem = ours ? problemOf(command) : "it is no program that the pages use";
  return problem === undefined ? undefined : `${command}: ${problem}`;
}

/** A config with this one key, in JSON5; without a value with an empty list there, as any will do to see the key. */
function configWith(key: string, value: string | undefined): { path: string; text: string } {
  if (value === undefined) return { path: "config", text: "{}" };
  const literal = /^"(.*)"$/.exec(value)?.[1] ?? value;
  // behind an edge with the built-in gateway there is nothing to trust
  const parts = key.split(".");
  const upstream = key.startsWith("gateway.upstream.");
  const text = upstream
    ? `{ gateway: { upstream: { type: "url", url: "ws://127.0.0.1:1", ${parts.at(-1)}: ${literal} } } }`
    : parts.reduceRight((inner, part) => `{ ${part}: ${inner} }`, literal);
  return { path: "config", text };
}

function hasSubsections(sections: readonly { level: number }[], index: number): boolean {
  return (sections[index + 1]?.level ?? 0) > sections[index]!.level;
}

/** What looks find: their ids stand in their sources, those of the recorder and of logs are put together. */
function factIds(): string[] {
  const sources = globSync("src/diagnosis/facts/*.ts", { cwd: ROOT }).filter(
    (path) => !/\.test\.ts$/.test(path),
  );
  const literal = sources.flatMap((path) => {
    const text = readFileSync(join(ROOT, path), "utf8");
    return [...text.matchAll(/(?:\bid: |\badd\(\s*)"([a-z-]+)"/g)].map((match) => match[1]!);
  });
  return [...literal, ...Object.keys(endCauses).flatMap((cause) => [`clients-${cause}`, `ended-${cause}`])];
}
