// Runs in a network namespace of its own, whose counters are nobody else's: storm.ts <number of clients>. Kills the edge of
// a gateway under all of them, once for clients that spread their return and once for clients that do not, and prints what
// became of them as a line of JSON.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { WebSocket } from "ws";
import { program, TestClawkit, until } from "../helpers/clawkit.ts";

export interface Storm {
  readonly spreadMs: number;
  /** From the kill until the last client had an echo again. */
  readonly backAfterMs: number;
  /** What kept a client from being back with its first try: `ECONNREFUSED`, `1013 …`. */
  readonly failures: Readonly<Record<string, number>>;
  /** By how much the kernel's counters of a full accept queue grew. */
  readonly overflows: Readonly<Record<string, number>>;
}

/** As a sane client draws its first delay (full jitter), and as a thoughtless one does. */
const SPREADS_MS = [1_000, 0];

/** A client that has no answer by then is as good as refused. */
const PATIENCE_MS = 10_000;

const COUNTERS = ["ListenOverflows", "ListenDrops", "TCPReqQFullDrop", "TCPReqQFullDoCookies"];

interface Weather {
  spreadMs: number;
  failures: Record<string, number>;
}

class Client {
  isBack = false;
  readonly #url: string;
  readonly #storm: Weather;

  constructor(url: string, storm: Weather) {
    this.#url = url;
    this.#storm = storm;
    this.#connect();
  }

  #connect(): void {
    const storm = this.#storm;
    const socket = new WebSocket(this.#url, { perMessageDeflate: false, handshakeTimeout: PATIENCE_MS });
    let error = "";
    let hadEcho = false;
    socket.on("error", (cause: NodeJS.ErrnoException) => {
      error = cause.code ?? cause.message;
    });
    socket.on("open", () => socket.send("hello"));
    socket.on("message", () => {
      hadEcho = true;
      this.isBack = true;
    });
    socket.on("close", (code, reason) => {
      const why = `${code} ${reason} ${error}`.trim();
      if (!hadEcho) storm.failures[why] = (storm.failures[why] ?? 0) + 1;
      this.isBack = false;
      setTimeout(() => this.#connect(), Math.random() * storm.spreadMs);
    });
  }
}

function counters(): Record<string, number> {
  const [names = "", values = ""] = readFileSync("/proc/net/netstat", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("TcpExt:"));
  const value = values.split(" ");
  return Object.fromEntries(names.split(" ").map((name, index) => [name, Number(value[index])]));
}

execFileSync("ip", ["link", "set", "lo", "up"]);
const number = Number(process.argv[2]);
const clawkit = await TestClawkit.run({
  gateway: { upstream: { type: "command", command: program("echo") } },
});
const storm: Weather = { spreadMs: 0, failures: {} };
const clients = Array.from({ length: number }, () => new Client(clawkit.url, storm));
const allBack = () => clients.every(({ isBack }) => isBack);
await until(allBack);
for (const spreadMs of SPREADS_MS) {
  Object.assign(storm, { spreadMs, failures: {} });
  const before = counters();
  const { edge } = await clawkit.untilStatus(({ state }) => state === "healthy");
  process.kill(edge.pid!, "SIGKILL");
  const killedAt = performance.now();
  await until(() => clients.some(({ isBack }) => !isBack));
  await until(allBack);
  const backAfterMs = performance.now() - killedAt;
  const after = counters();
  const overflows = Object.fromEntries(COUNTERS.map((name) => [name, after[name]! - before[name]!]));
  const result: Storm = { spreadMs, backAfterMs, failures: storm.failures, overflows };
  console.log(JSON.stringify(result));
}
await clawkit[Symbol.asyncDispose]();
process.exit();
