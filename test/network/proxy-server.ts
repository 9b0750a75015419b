import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, until } from "../helpers/clawkit.ts";

export interface ProxyOptions {
  readonly upstream: number;
  /** Silence that it allows. */
  readonly idleSec?: number;
  /** Whether nginx passes Upgrade on, as it does only when it is told to. */
  readonly isUpgradePassed?: boolean;
}

/** Why there is no such proxy here; false if there is. In CI there must be. */
export function whyNoProxy(name: "nginx" | "haproxy"): string | false {
  try {
    execFileSync(name, ["-v"], { stdio: "ignore" });
    return false;
  } catch {
    return `${name} is not installed`;
  }
}

/** A real nginx or HAProxy in front of a port of this machine. */
export class ProxyServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#child = child;
  }

  static async start(name: "nginx" | "haproxy", options: ProxyOptions): Promise<ProxyServer> {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), "clawkit-proxy-"));
    const config = join(folder, "proxy.conf");
    await writeFile(config, name === "nginx" ? nginx(port, folder, options) : haproxy(port, options));
    const args =
      name === "nginx" ? ["-c", config, "-p", folder, "-e", join(folder, "errors")] : ["-f", config];
    const child = spawn(name, args, { stdio: ["ignore", "ignore", "inherit"] });
    const proxy = new ProxyServer(port, folder, child);
    await until(() => answers(port));
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGTERM");
      await once(this.#child, "exit");
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

function nginx(
  port: number,
  folder: string,
  { upstream, idleSec = 3_600, isUpgradePassed = true }: ProxyOptions,
) {
  const upgrade = isUpgradePassed
    ? `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";`
    : "";
  const temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `daemon off; master_process off; pid ${folder}/pid;
events {}
http {
  access_log off;
  ${temps.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://127.0.0.1:${upstream}; proxy_read_timeout ${idleSec}s; proxy_send_timeout 1h; ${upgrade} }
  }
}
`;
}

function haproxy(port: number, { upstream, idleSec = 3_600 }: ProxyOptions) {
  return `defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel ${idleSec}s
frontend front
  bind 127.0.0.1:${port}
  default_backend back
backend back
  server gateway 127.0.0.1:${upstream}
`;
}
