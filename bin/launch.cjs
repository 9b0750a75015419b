// Runs Node's arguments on a Node that can run this project: the current one if it is new enough, else the
// one the optional dependency brought. Written for any Node, old ones included: they land here too.
"use strict";
const { spawn } = require("node:child_process");
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const REQUIRED_MAJOR = 24;

function suitableNode() {
  if (Number(process.versions.node.split(".")[0]) >= REQUIRED_MAJOR) return process.execPath;
  const platform = process.platform === "win32" ? "win" : process.platform;
  const folder = join(__dirname, "..", "node_modules", `node-${platform}-${process.arch}`, "bin");
  const local = join(folder, process.platform === "win32" ? "node.exe" : "node");
  return existsSync(local) ? local : undefined;
}

const node = suitableNode();
if (node === undefined) {
  console.error(
    `ClawKit needs Node ${REQUIRED_MAJOR} or newer and this is Node ${process.versions.node}: ` +
      `install Node ${REQUIRED_MAJOR} from https://nodejs.org and run the same line again.`,
  );
  process.exit(1);
}

const child = spawn(node, process.argv.slice(2), { stdio: "inherit" });
// A terminal's Ctrl-C reaches the child as well; waiting for it lets it clean up.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal !== "SIGINT") child.kill(signal);
  });
}
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
