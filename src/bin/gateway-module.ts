import { stat } from "node:fs/promises";
import { Socket } from "node:net";
import { pathToFileURL } from "node:url";
import { MessageLines } from "../gateway/modules/message-lines.ts";
import { ModuleHost } from "../gateway/modules/module-host.ts";
import { MODULE_PIPE } from "../gateway/modules/module-process.ts";
import { surviveLostOutput } from "./real.ts";

// the process of one module of the gateway: <path of the module> <version of the gateway>
const [path = "", gatewayVersion = ""] = process.argv.slice(2);

const pipe = new Socket({ fd: MODULE_PIPE });
const host = new ModuleHost({
  write: (line) => pipe.write(line),
  load: async () => {
    const facts = await stat(path).catch(() => undefined);
    if (!facts?.isFile())
      throw new Error(`${path} is no file: correct it in gateway.modules, or take it out`);
    return (await import(pathToFileURL(path).href)) as { default?: unknown };
  },
  gatewayVersion,
});
const lines = new MessageLines(Infinity, (line) => host.onLine(line));

surviveLostOutput();
// only told: Node ends the process as ever
process.on("uncaughtExceptionMonitor", (error) => host.noteLastWords(error));
pipe.on("error", () => process.exit(0));
pipe.on("close", () => process.exit(0)); // the gateway is gone: the next one starts its own
if (await host.load()) pipe.on("data", (chunk: Buffer) => lines.push(chunk));
else pipe.end();
