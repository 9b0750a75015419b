import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openFilesLimit } from "../../lib/limits.ts";
import { programVersion } from "../../lib/machine.ts";
import type { ProxyEntry } from "./proxy.ts";
import { runServer } from "./run-server.ts";

export const haproxy: ProxyEntry = {
  name: "haproxy",
  title: "HAProxy",
  isPeer: true,
  version() {
    const version = programVersion("haproxy", "-v");
    return version ? { text: version } : { missing: "haproxy is not installed (apt-get install haproxy)" };
  },
  start: (port, backendPort, signal) =>
    runServer({ name: "haproxy", port, signal }, (folder) => {
      const file = join(folder, "haproxy.cfg");
      writeFileSync(file, config(port, backendPort));
      return { command: "haproxy", args: ["-db", "-f", file] };
    }),
};

/** One process, one thread; everything that bears on speed is HAProxy's default. */
function config(port: number, backendPort: number): string {
  // two files a link, and some for itself
  const links = Math.min(8_000, Math.floor((openFilesLimit() - 200) / 2));
  return `global
  nbthread 1
  maxconn ${links}
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
frontend clients
  bind 127.0.0.1:${port} backlog 4096
  default_backend echo
backend echo
  server echo 127.0.0.1:${backendPort}
`;
}
