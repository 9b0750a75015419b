// `npm start` in a checkout: runs the gateway here, and says what to do with it. A gateway that is already there,
// most likely the real OpenClaw, is left alone.
import { gatewayRun } from "../cli/commands/gateway.ts";
import { currentStatus } from "../cli/running.ts";
import { consoleUrl } from "../core/control.ts";
import { ClawkitError, messageOf } from "../core/errors.ts";
import { createContext } from "./cli-context.ts";
import { runSupervisor } from "./run-supervisor.ts";

const context = createContext("clawkit");
const { out, paths } = context;

/** How `clawkit` is called from the checkout's folder. */
const CLAWKIT = context.platform === "win32" ? "bin\\clawkit" : "./bin/clawkit";

function printFirstSteps(url: string): void {
  const page = url.replace(/^ws/, "http");
  out.line();
  out.line(out.style("bold", `The gateway is running at ${url}`));
  out.line(`  status page  ${page}`);
  out.line(`  console      ${consoleUrl(url)}   (${CLAWKIT} console opens it, signed in)`);
  out.line(`  token        in ${paths.config} (gateway.auth.token)`);
  out.line();
  out.line("Try next, in another terminal:");
  out.line(`  ${CLAWKIT} gateway status    what is running`);
  out.line(`  ${CLAWKIT} logs --follow     what it prints; then kill -9 the gateway's pid and watch`);
  out.line(`  ${CLAWKIT} demo              the same clients on a plain server and here, both killed`);
  if (context.platform !== "win32") {
    out.line(`  export PATH="$PATH:$PWD/bin"    the 1006 playbook's openclaw commands, by our alias`);
  }
  out.line("Stop it with Ctrl-C.");
  out.line();
}

function printBeside(port: number, owner: string): void {
  out.line(`Something already answers on port ${port} (${owner}): it is left alone.`);
  out.line("Beside it you can:");
  out.line(`  ${CLAWKIT} demo                                  see what ClawKit does, on ports of its own`);
  out.line(`  ${CLAWKIT} doctor                                whether it is well, and what is wrong`);
  out.line(
    `  ${CLAWKIT} adopt --dry-run                       if it is OpenClaw: how to put it behind ClawKit`,
  );
  out.line(`  CLAWKIT_GATEWAY_PORT=${port + 1} npm start              run ClawKit's gateway on another port`);
  out.line(`  ${CLAWKIT} config set gateway.upstream '{ type: "url", url: "ws://127.0.0.1:${port}" }'`);
  out.line("      and the line above: an edge in front of what runs there");
}

async function start(): Promise<number> {
  const status = await currentStatus(context);
  if (status.state === "foreign") {
    const { pid, command } = status.portOwner!;
    printBeside(status.port, pid === null ? "a process of another user" : `pid ${pid}: ${command}`);
    return 0;
  }
  if (status.supervisor.pid !== null) {
    printFirstSteps(status.url!);
    out.line(
      `It was running before (supervisor pid ${status.supervisor.pid}); stop it with: ${CLAWKIT} gateway stop`,
    );
    return 0;
  }
  return await gatewayRun({
    ...context,
    runSupervisor: async () => {
      await runSupervisor({
        output: "lines",
        onReady: async () => printFirstSteps((await currentStatus(context)).url!),
      });
      return 0;
    },
  });
}

try {
  process.exit(await start());
} catch (error) {
  out.error(messageOf(error));
  process.exit(error instanceof ClawkitError ? error.exitCode : 70);
}
