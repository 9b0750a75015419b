import { Command, CommanderError } from "commander";
import { ClawkitError, errorCodes, messageOf } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import type { CliContext } from "./context.ts";
import type { Output } from "./output/output.ts";

/** sysexits.h EX_SOFTWARE: a bug of ours. */
const EXIT_INTERNAL = 70;

/** Runs one command line; resolves with the exit code. Every error ends here, as a sentence. */
export async function runCli(context: CliContext, argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  try {
    const program = createProgram(context, (code) => {
      exitCode = code;
    });
    await program.parseAsync(argv as string[], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : errorCodes.USAGE.exit;
    return tellError(error, context.out, argv);
  }
}

/** Says why a command line failed; returns the exit code. */
export function tellError(error: unknown, out: Output, argv: readonly string[]): number {
  const isKnown = error instanceof ClawkitError;
  if (argv.includes("--json")) {
    const code = isKnown ? error.code : "INTERNAL";
    out.json({ ok: false, error: { code, message: messageOf(error) } });
  }
  out.error(isKnown ? error.message : `${messageOf(error)} (this is a bug in ClawKit)`);
  return isKnown ? error.exitCode : EXIT_INTERNAL;
}

/** All commands and their options; `done` is told the exit code of the one that ran. */
export function createProgram(context: CliContext, done: (exitCode: number) => void): Command {
  const isAlias = context.name === "openclaw";
  const program = new Command(context.name);

  program
    .description(
      isAlias
        ? "This openclaw is an alias of ClawKit, the reliability toolkit. For the real OpenClaw: npm i -g openclaw"
        : "Reliability toolkit for OpenClaw-style gateways",
    )
    .version(isAlias ? `${VERSION} (ClawKit, called as openclaw)` : VERSION, "-V, --version")
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText("after", "\nEvery command takes --help, and all but playbook take --json.");

  const gateway = program.command("gateway").description("run, start, stop and look at the gateway");
  if (isAlias) {
    gateway.allowExcessArguments(true).action(async () => {
      const [unknown] = gateway.args;
      if (unknown !== undefined) throw notOurs(`gateway ${unknown}`);
      done(await (await import("./commands/gateway.ts")).gatewayRun(context));
    });
  }
  gateway
    .command("run")
    .description("run it here, in the foreground")
    .option("--json", "print a line of JSON for each event, instead of what is logged")
    .action(async (options) =>
      done(await (await import("./commands/gateway.ts")).gatewayRun(context, options)),
    );
  const verbs = [
    ["start", "start it in the background; returns when it is ready", "gatewayStart"],
    ["stop", "stop it; returns when every process is gone", "gatewayStop"],
    ["restart", "restart the gateway behind the edge, which keeps its clients informed", "gatewayRestart"],
    ["status", "exit 0 healthy, 1 not healthy, 3 not running, 4 the port is someone else's", "gatewayStatus"],
  ] as const;
  for (const [name, description, handler] of verbs) {
    const command = gateway.command(name).description(description).option("--json", "print JSON");
    if (name === "restart") command.option("--all", "restart the edge too");
    command.action(async (options) => {
      done(await (await import("./commands/gateway.ts"))[handler](context, options));
    });
  }

  gateway
    .command("install")
    .description("have this machine's service manager keep it running, from now on and after every boot")
    .option("--system", "as a service of the system instead of the user's (systemd, needs root)")
    .option("--dry-run", "print the definition and the commands, and do nothing")
    .option("--yes", "do not ask before a running gateway is restarted, or the user made to linger")
    .option("--json", "print JSON")
    .action(async (options) =>
      done(await (await import("./commands/install.ts")).gatewayInstall(context, options)),
    );
  gateway
    .command("uninstall")
    .description("stop it and remove the service")
    .option("--yes", "do not ask first")
    .option("--dry-run", "print the files and the commands, and do nothing")
    .option("--json", "print JSON")
    .action(async (options) =>
      done(await (await import("./commands/uninstall.ts")).gatewayUninstall(context, options)),
    );

  gateway
    .command("auth-token")
    .description("whether clients need a token, and which")
    .option("--show", "print it; at a terminal only")
    .option("--json", "print JSON, without the token")
    .action(async (options) =>
      done(await (await import("./commands/auth-token.ts")).authToken(context, options)),
    );

  const params = ["--params <json5>", "parameters, such as '{limit: 20}'"] as const;
  const timeout = ["--timeout <seconds>", "how long to wait for the answer (default: 30)"] as const;
  program
    .command("call <method>")
    .description("ask the built-in gateway something; prints its answer")
    .option(...params)
    .option(...timeout)
    .option("--json", "print errors as JSON, too")
    .action(async (method, options) =>
      done(await (await import("./commands/call.ts")).call(context, method, options)),
    );

  const nodes = program.command("nodes").description("the nodes of the built-in gateway");
  nodes
    .command("list")
    .description("which there are, whether they are connected, and what they can do")
    .option("--json", "print JSON")
    .action(async (options) => done(await (await import("./commands/nodes.ts")).nodesList(context, options)));
  nodes
    .command("invoke <node> <command>")
    .description("have a node, by its id or name, do something; prints its answer")
    .option(...params)
    .option(...timeout)
    .option("--json", "print errors as JSON, too")
    .action(async (node, command, options) =>
      done(await (await import("./commands/nodes.ts")).nodesInvoke(context, { node, command }, options)),
    );

  const devices = program
    .command("devices")
    .description("the devices that may come in, and those that ask to");
  devices
    .command("list")
    .description("devices that are paired, and requests that wait")
    .option("--json", "print JSON")
    .action(async (options) =>
      done(await (await import("./commands/devices.ts")).devicesList(context, options)),
    );
  const deviceVerbs = [
    ["approve <request>", "let in a device that asks to be", "devicesApprove"],
    ["reject <request>", "refuse it; it may ask again", "devicesReject"],
    ["remove <device>", "forget a device, and cut it off at once", "devicesRemove"],
  ] as const;
  for (const [name, description, handler] of deviceVerbs) {
    devices
      .command(name)
      .description(description)
      .option("--json", "print JSON")
      .action(async (id, options) =>
        done(await (await import("./commands/devices.ts"))[handler](context, id, options)),
      );
  }

  program
    .command("logs")
    .description("what gateway, edge and supervisor printed, merged by time")
    .option("-f, --follow", "go on printing; survives restarts")
    .option("--source <name>", "gateway, edge, supervisor or all", "all")
    .option("--since <when>", "a time span back from now (10m, 2h, 1d) or a date")
    .option("--limit <lines>", "how many of the past lines (default: 200)")
    .option("--json", "one JSON object a line")
    .action(async (options) => done(await (await import("./commands/logs.ts")).logs(context, options)));

  program
    .command("why [what]")
    .description("why it went down: the last incident, or an incident, a connection, a client id or address")
    .option(
      "--client-saw <code>",
      "what a client reports, such as 1006: our side of the same end, with --at and --from",
    )
    .option(
      "--at <when>",
      "when it saw that: a time of day (14:03:22), a time span back from now (10m) or a date",
    )
    .option(
      "--client-journal <file>",
      "the JSON of a clawkit/client's socket.journal, or - for standard input: our side of each end in it, with --from",
    )
    .option("--from <client>", "its address, or the id it gives itself")
    .option("--json", "print JSON")
    .action(async (what, options) =>
      done(await (await import("./commands/why.ts")).why(context, what, options)),
    );
  program
    .command("incidents")
    .description("outages and bursts of disconnects, newest first")
    .option("--since <when>", "a time span back from now (10m, 2h, 1d) or a date")
    .option("--limit <rows>", "how many (default: 20)")
    .option("--json", "print JSON")
    .action(async (options) =>
      done(await (await import("./commands/incidents.ts")).incidents(context, options)),
    );
  program
    .command("connections")
    .description("client connections and how they ended, newest first")
    .option("--live", "only those that are open")
    .option("--closed", "only those that ended")
    .option("--since <when>", "a time span back from now (10m, 2h, 1d) or a date")
    .option("--limit <rows>", "how many (default: 50)")
    .option("--json", "print JSON")
    .action(async (options) =>
      done(await (await import("./commands/connections.ts")).connections(context, options)),
    );

  program
    .command("console")
    .description("open the console: the edge's own, or, while there is none, one that is served from here")
    .option("--port <number>", "where to serve it while there is no edge (default: any free port)")
    .option("--no-open", "print the address, and open no browser")
    .option("--json", "print JSON")
    .action(async (options) =>
      done(await (await import("./commands/console.ts")).openConsole(context, options)),
    );

  program
    .command("explain [file]")
    .description("what a pasted error or log says about the cause; reads standard input without a file")
    .option("--json", "print JSON")
    .action(async (file, options) =>
      done(await (await import("./commands/explain.ts")).explain(context, file, options)),
    );

  const doctor = program
    .command("doctor")
    .description("find out what is wrong; exit 0 healthy, 1 something is wrong")
    .option("--only <id>", "take one look only (see --list)")
    .option("--list", "list what is looked at; with undo: the repairs")
    .option(
      "--fix [repairs]",
      "repair what is safe to repair, or only those named (a,b); asks before anything else",
    )
    .option("--dry-run", "show what --fix would do, and do nothing")
    .option(
      "--yes",
      "with --fix: do not ask; destructive things are never done; with undo: replace what was edited since",
    )
    .option("--url <address>", "the ws:// or wss:// address that a client was given")
    .option("--deep", "more time, and more of every log")
    .option("--verbose", "every fact that was found; with --json, each look on standard error as it is done")
    .option("--json", "print JSON")
    .action(async (options) => done(await (await import("./commands/doctor.ts")).doctor(context, options)));

  doctor
    .command("undo [id]")
    .description("take a repair back, the last one without an id")
    .action(async (id, _, undo: Command) =>
      // --list and --json are doctor's, also behind undo
      done(await (await import("./commands/doctor.ts")).doctorUndo(context, id, undo.optsWithGlobals())),
    );

  program
    .command("ps")
    .description("processes of gateways, and whose they are; exit 0 if one lives, 1 if none does")
    .option("--json", "print JSON")
    .action(async (options) => done(await (await import("./commands/ps.ts")).ps(context, options)));
  program
    .command("port [number]")
    .description("who listens on the port, and who is connected; exit 0 if somebody listens, 1 if not")
    .option("--json", "print JSON")
    .action(async (number, options) =>
      done(await (await import("./commands/port.ts")).port(context, number, options)),
    );

  program
    .command("probe <url>")
    .description(
      "the path to a gateway, layer by layer: which one fails; with --idle how long it lets a connection be silent",
    )
    .option("--idle", "measure the idle limit too; it takes as long as the limit, some times over")
    .option(
      "--large",
      "try messages of up to 1 MiB too; a gateway with a smaller limit closes the probe's connection",
    )
    .option("--max <time>", "the longest silence that is tried, such as 90s or 10m (10m); implies --idle")
    .option("--json", "print JSON")
    .action(async (url, options) =>
      done(await (await import("./commands/probe.ts")).probe(context, url, options)),
    );

  program
    .command("harden")
    .description("what to change before it breaks again; exit 0 if nothing is left to change")
    .option(
      "--apply [items]",
      "make the changes, or only those named (a,b), ask before disruptive ones; each can be undone with doctor undo",
    )
    .option("--yes", "with --apply: do not ask")
    .option("--json", "print JSON")
    .action(async (options) => done(await (await import("./commands/harden.ts")).harden(context, options)));

  program
    .command("adopt")
    .description("put the OpenClaw of this machine behind ClawKit, on its own port")
    .option("--dry-run", "say what would change, and change nothing")
    .option("--undo", "put everything back as it was")
    .option("--yes", "answer yes to everything that is asked")
    .option("--json", "print JSON")
    .action(async (options) => done(await (await import("./commands/adopt.ts")).adopt(context, options)));

  program
    .command("playbook [code]")
    .description("the guide for a close code, such as 1006, in the terminal; without one: which there are")
    .option("--run", "look at this machine, and say what of the guide is about it")
    .option("--answer <yes|no>", "whether it solved the problem: the doctor weighs it")
    .action(async (code, options) =>
      done(await (await import("./commands/playbook.ts")).playbook(context, code, options)),
    );
  program
    .command("drill [fault]")
    .description("rehearse an outage on your own installation; lists what there is")
    .option("--yes", "do not ask first")
    .option("--json", "print JSON")
    .action(async (fault, options) =>
      done(await (await import("./commands/drill.ts")).drill(context, fault, options)),
    );

  const crash = program.command("crash").description("the evidence that ends of processes left behind");
  crash
    .command("list")
    .description("crashes, newest first")
    .option("--json", "print JSON")
    .action(async (options) => done(await (await import("./commands/crash.ts")).crashList(context, options)));
  crash
    .command("show [name]")
    .description("one crash with its evidence and last words; the last one without a name")
    .option("--json", "print JSON")
    .action(async (name, options) =>
      done(await (await import("./commands/crash.ts")).crashShow(context, name, options)),
    );
  crash
    .command("export [name]")
    .description("write a zip archive without secrets, for a bug report")
    .option("-o, --output <file>", "where to (default: clawkit-crash-<name>.zip)")
    .option("--json", "print JSON")
    .action(async (name, options) =>
      done(await (await import("./commands/crash.ts")).crashExport(context, name, options)),
    );

  program
    .command("alerts")
    .description("who is told when something breaks")
    .command("test")
    .description("send a test message to every webhook of the config")
    .option("--json", "print JSON")
    .action(async (options) =>
      done(await (await import("./commands/alerts.ts")).alertsTest(context, options)),
    );

  const config = program.command("config").description("read and change the configuration");
  config
    .command("get [key]")
    .description("print the config, or one value; secrets are redacted")
    .option("--json", "print JSON")
    .action(async (key, options) =>
      done(await (await import("./commands/config.ts")).configGet(context, key, options)),
    );
  config
    .command("set <key> <value>")
    .description("set a value, written as JSON5: config set gateway.port 18790")
    .option("--json", "print JSON")
    .action(async (key, value, options) =>
      done(await (await import("./commands/config.ts")).configSet(context, key, value, options)),
    );
  config
    .command("validate")
    .description("check the file without starting anything")
    .option("--json", "print JSON")
    .action(async (options) =>
      done(await (await import("./commands/config.ts")).configValidate(context, options)),
    );
  config
    .command("path")
    .description("print where the file is")
    .option("--json", "print JSON")
    .action(async (options) => done((await import("./commands/config.ts")).configPath(context, options)));

  const alias = program.command("alias").description("openclaw as a second name for ClawKit");
  const aliasVerbs = [
    ["on", "put the alias into ClawKit's own folder", "aliasOn"],
    ["off", "remove it, and its line in the shell's profile", "aliasOff"],
    ["status", "say whether it is on, and which openclaw a shell finds", "aliasStatus"],
  ] as const;
  for (const [name, description, handler] of aliasVerbs) {
    const command = alias.command(name).description(description).option("--json", "print JSON");
    if (name === "on") command.option("--yes", "also add its folder to PATH in the shell's profile");
    command.action(async (options) =>
      done(await (await import("./commands/alias.ts"))[handler](context, options)),
    );
  }

  program
    .command("uninstall")
    .description("remove the service and the alias; says what is left")
    .option("--state", "delete the state directory too: config, token, records, logs")
    .option("--yes", "do not ask")
    .option("--json", "print JSON")
    .action(async (options) =>
      done(await (await import("./commands/uninstall.ts")).uninstall(context, options)),
    );

  program
    .command("demo")
    .description("kill a plain server and ours under the same clients, and show what they saw (under 30 s)")
    .option("--json", "print JSON")
    .action(async (options) => done(await (await import("./commands/demo.ts")).demo(context, options)));

  if (isAlias) {
    // scripts written for the real one pass these
    for (const command of new Set([program, ...program.commands, ...gateway.commands])) {
      command.option("--non-interactive", "accepted for compatibility: ClawKit never asks here");
    }
    doctor.option("--repair", "the same as --fix");
    doctor.option("--lint", "accepted for compatibility: nothing is changed without --fix");
    program.on("command:*", ([unknown]) => {
      throw notOurs(unknown);
    });
  }
  return program;
}

function notOurs(command: string): ClawkitError {
  return new ClawkitError(
    "USAGE",
    `This openclaw is ClawKit's alias and has no command ${command}. The real OpenClaw is the npm package openclaw: npm i -g openclaw`,
  );
}
