import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, lstat, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { statePaths } from "../../src/config/paths.ts";
import type { Status } from "../../src/core/control.ts";
import { program, TestClawkit, TOKEN, until } from "../helpers/clawkit.ts";
import { openClients, TestClient } from "../helpers/clients.ts";
import { CLAWKIT, CommandLine, OPENCLAW } from "../helpers/command-line.ts";
import { needsProc, processesOf, titles } from "../helpers/processes.ts";
import { ReferenceClient } from "../helpers/reference-client.ts";
import { exits, json, jsonLines } from "../helpers/results.ts";

interface Line {
  readonly time: string;
  readonly source: string;
  readonly stream: string;
  readonly text: string;
}

const PRINTER = { gateway: { upstream: { type: "command", command: program("printer") } } };

/** Escape sequences of a terminal: colours, and those that move the cursor or erase. */
const ESCAPE = /\x1b\[/;
const COLOUR = /\x1b\[[0-9;]*m/;

/** A command that never returns must fail its test, not stop the run. */
const GIVE_UP_MS = 240_000;

// Two groups run beside each other, and two tests in each: most of the time one of them waits.
describe("the command line", { concurrency: 2, timeout: GIVE_UP_MS }, () => {
  describe("logs", { concurrency: 2 }, () => {
    const files = {
      "gateway.log.2": ["2026-01-01T10:00:00.000Z out oldest"],
      "gateway.log.1": ["2026-01-01T10:00:02.000Z out third"],
      "gateway.log": ["2026-01-01T10:00:04.000Z err fifth", "no line of ours"],
      "edge.log": ["2026-01-01T10:00:01.000Z out second"],
      "supervisor.log": ["2026-01-01T10:00:03.000Z log fourth"],
    };
    const ALL = ["gateway oldest", "edge second", "gateway third", "supervisor fourth", "gateway fifth"];

    test("with everything down: merged by time, rotated files included; --source, --since and --limit choose", async () => {
      await using line = await CommandLine.create();
      const { logsDir } = line.paths;
      await mkdir(logsDir, { recursive: true });
      for (const [name, lines] of Object.entries(files))
        await writeFile(join(logsDir, name), `${lines.join("\n")}\n`);
      const shown = async (...args: string[]) => {
        const { stdout } = await exits(0, line.clawkit("logs", "--json", ...args));
        return jsonLines<Line>(stdout).map(({ source, text }) => `${source} ${text}`);
      };
      assert.deepEqual(await shown(), ALL);
      assert.deepEqual(await shown("--source", "edge"), ["edge second"]);
      assert.deepEqual(await shown("--since", "2026-01-01T10:00:03Z"), ALL.slice(3));
      assert.deepEqual(await shown("--since", "10m"), []);
      assert.deepEqual(await shown("--limit", "2"), ALL.slice(3));

      const { stdout } = await exits(0, line.clawkit("logs"));
      assert.deepEqual(
        stdout
          .trimEnd()
          .split("\n")
          .map((text) => text.split(/\s+/).slice(3).join(" ")),
        ALL,
      );
    });

    test("a wrong --source, --since or --limit exits 2 and says what is right", async () => {
      await using line = await CommandLine.create();
      const wrong: [args: string[], told: RegExp][] = [
        [
          ["--source", "clients"],
          /--source must be one of all, gateway, edge, supervisor, control, not clients/,
        ],
        [["--since", "yesteryear"], /--since must be a time span .* not "yesteryear"/],
        [["--limit", "0"], /--limit must be a whole number from 1 on, not "0"/],
      ];
      for (const [args, told] of wrong)
        assert.match((await exits(2, line.clawkit("logs", ...args))).stderr, told);
    });

    test("each exit is a marked line with its signal or code, and the last words before it stand out", async () => {
      await using clawkit = await TestClawkit.run(PRINTER);
      const [first] = await openClients(1, clawkit.url);
      await first!.echo("say I feel unwell");
      process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
      await first!.ended;
      const [second] = await openClients(1, clawkit.url);
      second!.socket.send("exit 3");
      await second!.ended;
      await clawkit.ready();
      await exits(0, clawkit.cli("gateway", "restart"));

      const { stdout } = await exits(0, clawkit.cli("logs", "--source", "gateway"));
      const lines = stdout.split("\n");
      const exitLines = lines.filter((line) => line.startsWith("━━"));
      assert.equal(exitLines.length, 3, stdout);
      assert.match(
        exitLines[0]!,
        /^━━ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d gateway ended: killed by SIGKILL/,
      );
      assert.match(exitLines[1]!, /gateway ended: exited with code 3/);
      assert.match(
        exitLines[2]!,
        /SIGTERM|code \d/,
        "an exit that was asked for has a signal or code as well",
      );
      assert.match(lines[lines.indexOf(exitLines[0]!) - 1]!, /I feel unwell$/);

      const coloured = await clawkit.spawnAndWait(
        process.execPath,
        [CLAWKIT, "logs", "--source", "gateway"],
        {
          NO_COLOR: undefined,
          FORCE_COLOR: "1",
        },
      );
      assert.match(coloured.stdout, /\x1b\[33mI feel unwell\x1b\[/);
    });

    test("--follow goes on across a restart of the gateway, and Ctrl-C ends it with 0", async () => {
      await using clawkit = await TestClawkit.run(PRINTER);
      const [first] = await openClients(1, clawkit.url);
      await first!.echo("say before");
      const follow = await startFollowing(clawkit, "before", "--json");
      process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
      const [second] = await openClients(1, clawkit.url);
      await second!.echo("say after");
      const lines = await until(() => {
        const found = jsonLines<Line>(follow.complete()).filter(({ source }) => source === "gateway");
        return found.some(({ text }) => text === "after") ? found : undefined;
      });
      const story = lines.map(({ stream, text }) => `${stream} ${text.replace(/ \(.*/, "")}`);
      assert.deepEqual(story, ["out before", "end gateway ended: killed by SIGKILL", "out after"]);
      second!.socket.terminate();
      assert.equal(await follow.interrupt(), 0);
    });

    test("--follow loses no line when the log is rotated", async () => {
      await using clawkit = await TestClawkit.run({ ...PRINTER, logs: { maxMb: 0.1, keep: 4 } });
      const [client] = await openClients(1, clawkit.url);
      await client!.echo("say ready?");
      const follow = await startFollowing(clawkit, "ready?", "--source", "gateway");
      const ROUNDS = 7;
      const LINES = 500; // of 100 bytes: half a file
      for (let round = 0; round < ROUNDS; round++) {
        await client!.echo(`print ${round * LINES + 1} ${(round + 1) * LINES} 100`);
        await until(() => follow.complete().includes(` line ${(round + 1) * LINES} `) || undefined);
      }
      const names = await readdir(statePaths(clawkit.stateDir).logsDir);
      assert.ok(names.includes("gateway.log.3"), `it was not rotated: ${names}`);
      assert.deepEqual(gapsIn(numbersIn(follow.complete())), []);
      client!.socket.terminate();
      await follow.interrupt();
    });

    test("a burst rotates the log several times at once: every file is bounded, --follow shows every line", async () => {
      await using clawkit = await TestClawkit.run({ ...PRINTER, logs: { maxMb: 0.1, keep: 8 } });
      const [client] = await openClients(1, clawkit.url);
      await client!.echo("say ready?");
      const follow = await startFollowing(clawkit, "ready?", "--source", "gateway");
      const LINES = 4_000; // of 100 bytes: four files and a bit
      await client!.echo(`print 1 ${LINES} 100`);
      await until(() => follow.complete().includes(` line ${LINES} `) || undefined);
      const { logsDir } = statePaths(clawkit.stateDir);
      for (const name of await readdir(logsDir)) {
        const { size } = await stat(join(logsDir, name));
        assert.ok(size <= 0.1 * 1024 * 1024, `${name} has ${size} bytes`);
      }
      assert.deepEqual(gapsIn(numbersIn(follow.complete())), []);
      client!.socket.terminate();
      await follow.interrupt();
    });
  });

  describe("config", { concurrency: 2 }, () => {
    const COMMENTED = `// mine
{
  gateway: {
    port: 18790, // behind the firewall
    /* found out the hard way */
    keepalive: { intervalSec: 25 },
    auth: { token: "${TOKEN}" },
  },
}
`;

    test("set changes one value and keeps comments and layout; get and path tell", async () => {
      await using line = await CommandLine.create(COMMENTED);
      await exits(0, line.clawkit("config", "set", "gateway.port", "18800"));
      assert.equal(await line.readConfig(), COMMENTED.replace("18790", "18800"));
      assert.equal((await exits(0, line.clawkit("config", "get", "logs.keep"))).stdout, "4\n");
      await exits(0, line.clawkit("config", "set", "logs.keep", "2"));
      const text = await line.readConfig();
      assert.match(text, /^\/\/ mine$/m);
      assert.match(text, /port: 18800, \/\/ behind the firewall/);
      assert.match(text, /\/\* found out the hard way \*\//);
      assert.equal((await exits(0, line.clawkit("config", "get", "logs.keep"))).stdout, "2\n");
      assert.equal((await exits(0, line.clawkit("config", "path"))).stdout, `${line.paths.config}\n`);
    });

    test("set works before the first start, in a private state directory, and the first start obeys", async () => {
      await using clawkit = await TestClawkit.create();
      const stateDir = join(clawkit.stateDir, "new", "state");
      const env = { CLAWKIT_STATE_DIR: stateDir, CLAWKIT_GATEWAY_PORT: String(clawkit.port) };
      const cli = (...args: string[]) => clawkit.spawnAndWait(process.execPath, [CLAWKIT, ...args], env);
      const upstream = `{ type: 'command', command: ${JSON.stringify(program("echo"))} }`;
      await exits(0, cli("config", "set", "gateway.upstream", upstream));
      try {
        await exits(0, cli("gateway", "start"));
        const client = new TestClient(clawkit.url);
        await client.opened;
        assert.equal(await client.echo("hello"), "hello");
        client.socket.terminate();

        const { logsDir, runDir, config, lock, runLog } = statePaths(stateDir);
        const logFiles = (await readdir(logsDir)).map((name) => join(logsDir, name));
        const modes = await Promise.all([stateDir, logsDir, runDir].map(modeOf));
        assert.deepEqual(modes, [0o700, 0o700, 0o700]);
        assert.ok(logFiles.length >= 2);
        for (const path of [config, lock, runLog, ...logFiles]) assert.equal(await modeOf(path), 0o600, path);
        assert.match(await readFile(config, "utf8"), /token: "[\w-]{43}"/);
      } finally {
        await cli("gateway", "stop");
      }
    });

    const broken: { name: string; text: string; told: RegExp; commands: string[][] }[] = [
      {
        name: "an unknown key",
        text: "{\n  gateway: {\n    keepalive: {\n      intervalSecs: 5,\n    },\n  },\n}\n",
        told: /config\.json5:4: unknown key gateway\.keepalive\.intervalSecs: did you mean intervalSec\?/,
        commands: [
          ["config", "validate"],
          ["gateway", "start"],
        ],
      },
      {
        name: "a wrong type",
        text: '{\n  supervisor: { drainSec: "two" },\n}\n',
        told: /config\.json5:2: supervisor\.drainSec must be a number from 0 to 600, not "two"/,
        commands: [["config", "validate"]],
      },
      {
        name: "text that is no JSON5",
        text: "{\n  gateway {},\n}\n",
        told: /config\.json5:2 is not JSON5/,
        commands: [
          ["config", "validate"],
          ["config", "set", "gateway.port", "18800"],
        ],
      },
    ];
    test("a broken file is named with line, key and the nearest key, and nothing overwrites it", async () => {
      await using line = await CommandLine.create();
      for (const { name, text, told, commands } of broken) {
        await line.writeConfig(text);
        for (const command of commands) {
          const { stderr } = await exits(78, line.clawkit(...command));
          assert.match(stderr, told, `${command.join(" ")}: ${name}`);
        }
        assert.equal(await line.readConfig(), text, name);
      }
    });

    test("set refuses what would not be valid, and says what would", async () => {
      await using line = await CommandLine.create(COMMENTED);
      const refused: [key: string, value: string, told: RegExp][] = [
        ["gateway.prot", "1", /unknown key gateway\.prot: did you mean port\?/],
        ["gateway.keep-alive", "true", /unknown key gateway\.keep-alive: did you mean keepalive\?/],
        ["gateway.port", "high", /gateway\.port must be a whole number from 1 to 65535, not "high"/],
      ];
      for (const [key, value, told] of refused) {
        assert.match((await exits(78, line.clawkit("config", "set", key, value))).stderr, told);
      }
      assert.equal(await line.readConfig(), COMMENTED);
    });

    test("get redacts secrets, one by one and in the whole, and refuses an unknown key", async () => {
      await using line = await CommandLine.create(COMMENTED);
      for (const args of [[], ["gateway.auth.token"], ["--json"]]) {
        const { stdout } = await exits(0, line.clawkit("config", "get", ...args));
        assert.doesNotMatch(stdout, new RegExp(TOKEN));
        assert.match(stdout, /\[redacted\]/);
      }
      assert.match(
        (await exits(2, line.clawkit("config", "get", "gateway.prot"))).stderr,
        /no config key gateway\.prot/,
      );
    });
  });

  describe("alias", { concurrency: 2 }, () => {
    test("on writes a script that runs ClawKit and leaves the profile alone; off removes it", async () => {
      await using home = await Profile.create("alias ll='ls -l'\n");
      const on = await exits(0, home.line.clawkit("alias", "on"));
      assert.match(on.stdout, /alias on --yes/);
      assert.equal(await home.read(), "alias ll='ls -l'\n");
      const version = await exits(0, home.line.run(home.script, ["--version"]));
      assert.match(version.stdout, /ClawKit/);
      assert.match((await exits(0, home.line.clawkit("alias", "status"))).stdout, /alias is on/);

      await exits(0, home.line.clawkit("alias", "off"));
      assert.match((await exits(0, home.line.clawkit("alias", "status"))).stdout, /alias is off/);
      assert.deepEqual(await readdir(home.line.paths.binDir), []);
    });

    const profiles = {
      "ends in a line end": "# mine\nexport A=1\n",
      "does not": "# mine\nexport A=1",
      empty: "",
    };
    for (const [what, text] of Object.entries(profiles)) {
      test(`on --yes extends the profile once, off restores it byte for byte (${what})`, async () => {
        await using home = await Profile.create(text);
        await exits(0, home.line.clawkit("alias", "on", "--yes"));
        const extended = await home.read();
        await exits(0, home.line.clawkit("alias", "on", "--yes"));
        assert.equal(await home.read(), extended);
        await exits(0, home.line.clawkit("alias", "off"));
        assert.equal(await home.read(), text);
      });
    }

    test("a profile that was not there is not there after off", async () => {
      await using home = await Profile.create(undefined);
      await exits(0, home.line.clawkit("alias", "on", "--yes"));
      assert.match((await home.read()) ?? "", /PATH/);
      await exits(0, home.line.clawkit("alias", "off"));
      assert.equal(await home.read(), undefined);
    });

    // Dotfiles are often links into a repository, and readable by others.
    test("the profile stays the link it was, with its mode", async () => {
      await using home = await Profile.create(undefined);
      const target = join(home.line.home, "dotfiles-bashrc");
      await writeFile(target, "# mine\n");
      await chmod(target, 0o644);
      await symlink(target, home.path);
      await exits(0, home.line.clawkit("alias", "on", "--yes"));
      assert.ok((await lstat(home.path)).isSymbolicLink(), "the link became a file");
      assert.equal(await readlink(home.path), target);
      assert.match(await readFile(target, "utf8"), /PATH/);
      assert.equal(await modeOf(target), 0o644);
      await exits(0, home.line.clawkit("alias", "off"));
      assert.equal(await readFile(target, "utf8"), "# mine\n");
    });

    test("a shell with that profile finds it, but a real openclaw earlier on PATH wins, as status says", async () => {
      await using home = await Profile.create("");
      await exits(0, home.line.clawkit("alias", "on", "--yes"));
      const folder = join(home.line.home, "real");
      const inShell = (PATH: string) =>
        home.line.run("sh", ["-c", `. ${home.path}; openclaw --version`], { PATH });
      const PATH = process.env.PATH ?? "";
      assert.match((await exits(0, inShell(PATH))).stdout, /ClawKit/);

      await mkdir(folder);
      await writeFile(join(folder, "openclaw"), "#!/bin/sh\necho the real one\n", { mode: 0o755 });
      assert.equal((await exits(0, inShell([folder, PATH].join(delimiter)))).stdout, "the real one\n");
      const status = await home.line.run(process.execPath, [CLAWKIT, "alias", "status", "--json"], {
        PATH: [folder, PATH, home.line.paths.binDir].join(delimiter),
      });
      assert.deepEqual(json(status), {
        on: true,
        folder: home.line.paths.binDir,
        onPath: true,
        inProfile: true,
        openclaw: join(folder, "openclaw"),
      });
    });
  });

  describe("called as openclaw", { concurrency: 2 }, () => {
    test("--version and --help say that it is ClawKit", async () => {
      await using line = await CommandLine.create();
      assert.match((await exits(0, line.openclaw("--version"))).stdout, /ClawKit/);
      assert.match((await exits(0, line.openclaw("--help"))).stdout, /ClawKit/);
    });

    for (const command of [["onboard"], ["models", "list", "--all"], ["gateway", "call", "health"]]) {
      test(`openclaw ${command.join(" ")} is not ours: exits 2 and names the real package`, async () => {
        await using line = await CommandLine.create();
        const { stderr } = await exits(2, line.openclaw(...command));
        assert.match(stderr, /ClawKit/);
        assert.match(stderr, /npm i -g openclaw/);
      });
    }

    test("--non-interactive is accepted before and behind every command", async () => {
      await using line = await CommandLine.create();
      await exits(3, line.openclaw("--non-interactive", "gateway", "status"));
      await exits(3, line.openclaw("gateway", "status", "--non-interactive"));
      await exits(0, line.openclaw("logs", "--non-interactive"));
      await exits(0, line.openclaw("config", "path", "--non-interactive"));
    });

    test("a bare gateway runs it in the foreground", async () => {
      await using clawkit = await TestClawkit.create();
      const running = exits(0, clawkit.spawnAndWait(process.execPath, [OPENCLAW, "gateway"]));
      const ready = until(() => clawkit.control({ op: "wait-ready" }).catch(() => undefined));
      await Promise.race([ready, running]);
      await clawkit.control({ op: "stop" });
      assert.match((await running).stdout, /gateway ready/);
    });
  });

  describe("output", { concurrency: 2 }, () => {
    test("--json everywhere: one value that parses, also for an error", async () => {
      await using clawkit = await TestClawkit.create({
        gateway: { upstream: { type: "command", command: program("echo") } },
      });
      const state = async (code: number, ...args: string[]) =>
        json<Status>(await exits(code, clawkit.cli("gateway", ...args, "--json"))).state;
      assert.equal(await state(3, "status"), "stopped");
      assert.equal(await state(0, "start"), "healthy");
      assert.equal(await state(0, "restart"), "healthy");
      assert.equal(await state(0, "restart", "--all"), "healthy");
      assert.equal(await state(0, "stop"), "stopped");
      json(await exits(0, clawkit.cli("config", "get", "--json")));
      json(await exits(0, clawkit.cli("config", "get", "gateway.port", "--json")));
      json(await exits(0, clawkit.cli("config", "set", "logs.keep", "3", "--json")));
      json(await exits(0, clawkit.cli("config", "validate", "--json")));
      json(await exits(0, clawkit.cli("config", "path", "--json")));
      const failed = json<{ ok: boolean; error: { code: string; message: string } }>(
        await exits(2, clawkit.cli("config", "get", "no.such.key", "--json")),
      );
      assert.deepEqual([failed.ok, failed.error.code], [false, "USAGE"]);
    });

    test("an unknown option or command exits 2", async () => {
      await using line = await CommandLine.create();
      const wrong = [
        ["--colour"],
        ["gatway"],
        ["gateway", "begin"],
        ["gateway", "start", "--fast"],
        ["gateway", "status", "now"],
      ];
      for (const args of wrong) {
        const { stderr } = await exits(2, line.clawkit(...args));
        assert.match(stderr, /error: (unknown|too many)/, args.join(" "));
      }
    });

    test("without a terminal there are no escape codes, whatever the state", async () => {
      await using clawkit = await TestClawkit.create(PRINTER);
      const said: string[] = [];
      const note = async (...args: string[]) => {
        const plain = { NO_COLOR: undefined };
        const { stdout, stderr } = await clawkit.spawnAndWait(process.execPath, [CLAWKIT, ...args], plain);
        said.push(stdout, stderr);
      };
      await note("gateway", "start");
      process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
      await clawkit.untilStatus(({ gateway }) => gateway.lastExit !== null);
      await note("gateway", "status");
      await note("logs");
      await note("gateway", "stop");
      await note("config", "get", "no.such.key");
      for (const text of said) assert.doesNotMatch(text, ESCAPE);
    });

    test("on a terminal there are colours, and none with NO_COLOR", { skip: needsScript() }, async () => {
      await using line = await CommandLine.create();
      const onTerminal = (noColor: string | undefined) => {
        const command = `'${process.execPath}' '${CLAWKIT}' gateway status`;
        // Node shows no colours where CI is set
        const env = { NO_COLOR: noColor, TERM: "xterm", CI: undefined };
        return line.run("script", ["-qec", command, "/dev/null"], env);
      };
      assert.match((await exits(3, onTerminal(undefined))).stdout, COLOUR);
      assert.doesNotMatch((await exits(3, onTerminal("1"))).stdout, ESCAPE);
    });
  });

  test("gateway auth-token --show prints the token to a person at a terminal", {
    skip: needsScript(),
  }, async () => {
    await using line = await CommandLine.create(`{ gateway: { auth: { token: "${TOKEN}" } } }`);
    const command = `'${process.execPath}' '${CLAWKIT}' gateway auth-token --show`;
    const { stdout } = await exits(0, line.run("script", ["-qec", command, "/dev/null"]));
    assert.equal(stdout.trim(), TOKEN);
  });

  describe("the token", { skip: needsProc }, () => {
    test("never appears in a log, a status, the run log, a command line or a title", async () => {
      await using clawkit = await TestClawkit.run();
      const client = await ReferenceClient.connect(clawkit.url, TOKEN);
      await client.request("health");
      await client.stop();
      const impostor = new ReferenceClient(clawkit.url, `${TOKEN}x`);
      await impostor.when(() => impostor.connectErrors[0] ?? impostor.closes[0]);
      await impostor.stop();
      const said: string[] = [];
      const note = async (...args: string[]) => {
        const { stdout, stderr } = await clawkit.cli(...args);
        said.push(stdout, stderr);
      };
      await note("gateway", "restart");
      process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
      await clawkit.untilStatus(({ state, gateway }) => state === "healthy" && gateway.generation === 3);
      const valid = await readFile(clawkit.configPath, "utf8");
      for (const broken of [
        `{ gateway: { auth: "${TOKEN}" } }`,
        `{ gateway: { auth: { token: ["${TOKEN}"] } } }`,
      ]) {
        await writeFile(clawkit.configPath, broken);
        await note("gateway", "restart");
        await note("config", "validate");
      }
      await writeFile(clawkit.configPath, valid);
      await note("gateway", "status", "--json");
      await note("logs");
      await note("config", "get");

      for (const { pid } of await processesOf(clawkit.stateDir)) said.push(await titles(pid));
      const { logsDir, runLog } = statePaths(clawkit.stateDir);
      for (const name of await readdir(logsDir)) said.push(await readFile(join(logsDir, name), "utf8"));
      said.push(await readFile(runLog, "utf8"));
      assert.deepEqual(
        said.filter((text) => text.includes(TOKEN)),
        [],
      );
    });
  });
});

/** A `logs --follow` that has shown the text that was printed last, so it is up to date. */
async function startFollowing(clawkit: TestClawkit, last: string, ...args: string[]) {
  const child = clawkit.spawnCli("logs", "--follow", ...args);
  let output = "";
  child.stdout!.on("data", (chunk) => (output += chunk));
  await until(() => output.includes(last) || undefined);
  return {
    /** What it printed so far, in whole lines. */
    complete: () => output.slice(0, output.lastIndexOf("\n") + 1),
    async interrupt(): Promise<number | null> {
      child.kill("SIGINT");
      const [code] = (await once(child, "exit")) as [number | null];
      return code;
    },
  };
}

/** The numbers of the printer's lines, in the order they were shown. */
function numbersIn(text: string): number[] {
  return [...text.matchAll(/ line (\d+) /g)].map(([, number]) => Number(number));
}

/** Where the count from 1 is interrupted or repeats: "300 after 0". */
function gapsIn(numbers: readonly number[]): string[] {
  return numbers.flatMap((number, i) => {
    const before = i === 0 ? 0 : numbers[i - 1]!;
    return number === before + 1 ? [] : [`${number} after ${before}`];
  });
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

/** Why the tests of a real terminal do not run here; false if they do. */
function needsScript(): string | false {
  const isThere = process.platform === "linux" && existsSync("/usr/bin/script");
  return isThere ? false : "needs util-linux's script as a terminal";
}

/** A bash profile in a home of its own. */
class Profile implements AsyncDisposable {
  readonly line: CommandLine;

  private constructor(line: CommandLine) {
    this.line = line;
  }

  static async create(text: string | undefined): Promise<Profile> {
    const profile = new Profile(await CommandLine.create());
    if (text !== undefined) await writeFile(profile.path, text);
    return profile;
  }

  get path(): string {
    return join(this.line.home, ".bashrc");
  }

  get script(): string {
    return join(this.line.paths.binDir, "openclaw");
  }

  read(): Promise<string | undefined> {
    return readFile(this.path, "utf8").catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.line[Symbol.asyncDispose]();
  }
}
