import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";

/** Why network namespaces cannot be used here; false if they can. In CI they must work. */
export function whyNoNamespaces(): string | false {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  try {
    execFileSync("ip", ["netns", "list"], { stdio: "ignore" });
    return false;
  } catch {
    return "ip (iproute2) is not installed";
  }
}

/** A host of its own, joined to this one by a cable: `inside` is its address, `outside` is ours. */
export class TestHost implements Disposable {
  readonly inside: string;
  readonly outside: string;
  readonly #children: ChildProcess[] = [];
  readonly #name = `ck-${randomBytes(3).toString("hex")}`;

  constructor() {
    // from the range for tests between networks (RFC 2544)
    const subnet = `198.18.${process.pid % 200}`;
    this.inside = `${subnet}.2`;
    this.outside = `${subnet}.1`;
    const name = this.#name;
    run("ip", "netns", "add", name);
    run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name);
    run("ip", "addr", "add", `${this.outside}/24`, "dev", name);
    run("ip", "link", "set", name, "up");
    this.exec("ip", "addr", "add", `${this.inside}/24`, "dev", "eth0");
    this.exec("ip", "link", "set", "eth0", "up");
    this.exec("ip", "link", "set", "lo", "up");
  }

  /** Runs a program on that host; returns its output. */
  exec(...command: string[]): string {
    return run("ip", "netns", "exec", this.#name, ...command);
  }

  /** Starts a program on that host; its pid is the program's own. It is ended with the host. */
  spawn(...command: string[]): ChildProcess {
    const child = spawn("ip", ["netns", "exec", this.#name, ...command], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#children.push(child);
    return child;
  }

  /** From now on no packet leaves that host or reaches it, and nobody is told: as behind a cable that was cut. */
  dropPackets(): void {
    const chains = ["input", "output"].map(
      (hook) => `add chain inet cut ${hook} { type filter hook ${hook} priority 0; policy drop; }`,
    );
    this.exec("nft", ["add table inet cut", ...chains].join("; "));
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill("SIGKILL");
    run("ip", "link", "del", this.#name);
    run("ip", "netns", "del", this.#name);
  }
}

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: "utf8", timeout: 30_000 });
}
