import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type CommandResult, collect, ROOT, until } from "./clawkit.ts";

const BOOT_MS = 60_000;

/** Where a lab sees this checkout and this Node. */
export const CHECKOUT = "/opt/clawkit-lab/checkout";
export const NODE = "/opt/clawkit-lab/node";

const CONTROLLERS = ["systemd", "memory", "pids", "cpu"];

/** Why no systemd can be booted here; false if it can. In CI it must work. */
export function whyNoSystemd(): string | false {
  if (process.platform !== "linux") return "systemd is Linux's";
  if (process.getuid?.() !== 0) return "booting systemd needs root";
  if (!existsSync("/sys/fs/cgroup/memory")) return "the lab is for cgroup v1 hierarchies";
  for (const path of ["/lib/systemd/systemd", "/usr/bin/dbus-daemon"]) {
    if (!existsSync(path)) return `${path} is missing: apt-get install systemd libpam-systemd dbus`;
  }
  return false;
}

/** A systemd as PID 1 of its own namespaces, with this machine's packages and nothing of its services. */
export class SystemdLab implements AsyncDisposable {
  readonly #folder: string;
  readonly #boot: ChildProcess;
  readonly #pid: number;

  private constructor(folder: string, boot: ChildProcess, pid: number) {
    this.#folder = folder;
    this.#boot = boot;
    this.#pid = pid;
  }

  static async boot(): Promise<SystemdLab> {
    const folder = await mkdtemp(join(tmpdir(), "clawkit-systemd-"));
    const script = join(ROOT, "test/helpers/boot-systemd.sh");
    const boot = spawn("sh", [script, folder, basename(folder), ROOT, process.execPath], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [boot.stdout, boot.stderr]) stream.on("data", (chunk) => (output += chunk));
    // unshare's child is PID 1 of the lab
    const children = `/proc/${boot.pid}/task/${boot.pid}/children`;
    const pid = await until(async () => {
      if (boot.exitCode !== null) throw new Error(`systemd was not booted:\n${output}`);
      const [child] = (await readFile(children, "utf8").catch(() => "")).trim().split(" ");
      const name = child ? await readFile(`/proc/${child}/comm`, "utf8").catch(() => "") : "";
      return name.trim() === "systemd" ? Number(child) : undefined;
    }, BOOT_MS);
    const lab = new SystemdLab(folder, boot, pid);
    await until(async () => {
      const { stdout } = await lab.run("systemctl", "is-system-running");
      return /running|degraded/.test(stdout) || undefined;
    }, BOOT_MS);
    return lab;
  }

  /** Runs a program inside, as root, to its end. */
  run(command: string, ...args: string[]): Promise<CommandResult> {
    const all = ["-t", String(this.#pid), "-a", "--", command, ...args];
    return collect(spawn("nsenter", all, { stdio: ["ignore", "pipe", "pipe"], env: INSIDE }));
  }

  /** Adds a user, with a home and a service manager that outlives logins. */
  async addUser(name: string): Promise<LabUser> {
    const { code, stderr } = await this.run("useradd", "--create-home", "--shell", "/bin/bash", name);
    if (code !== 0) throw new Error(`useradd: ${stderr}`);
    const uid = Number((await this.run("id", "-u", name)).stdout);
    await this.run("systemctl", "start", `user@${uid}.service`);
    return new LabUser(this, name, uid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#boot.once("exit", resolve));
    this.#boot.kill("SIGKILL"); // and with it all of the lab (--kill-child)
    await ended;
    for (const controller of CONTROLLERS) {
      const group = join("/sys/fs/cgroup", controller, basename(this.#folder));
      await until(() =>
        removeGroup(group).then(
          () => true as const,
          () => undefined,
        ),
      );
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A user of a lab; what runs in its name is of no session, as after `su`. */
export class LabUser {
  readonly lab: SystemdLab;
  readonly name: string;
  readonly uid: number;

  constructor(lab: SystemdLab, name: string, uid: number) {
    this.lab = lab;
    this.name = name;
    this.uid = uid;
  }

  get home(): string {
    return `/home/${this.name}`;
  }

  run(command: string, ...args: string[]): Promise<CommandResult> {
    const variables = [`XDG_RUNTIME_DIR=/run/user/${this.uid}`, `HOME=${this.home}`, `USER=${this.name}`];
    return this.lab.run("runuser", "-u", this.name, "--", "env", ...variables, command, ...args);
  }

  clawkit(...args: string[]): Promise<CommandResult> {
    return this.run(NODE, join(CHECKOUT, "src/bin/clawkit.ts"), ...args);
  }

  systemctl(...args: string[]): Promise<CommandResult> {
    return this.run("systemctl", "--user", ...args);
  }

  /** Properties of a unit, by name. */
  async show(unit: string, ...properties: string[]): Promise<Record<string, string>> {
    const { stdout } = await this.systemctl("show", unit, "--property", properties.join(","));
    return Object.fromEntries(
      stdout
        .trim()
        .split("\n")
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
  }

  async writeFile(path: string, text: string): Promise<void> {
    const { code, stderr } = await this.run(
      "sh",
      "-c",
      'mkdir -p "$(dirname "$1")"; printf %s "$2" > "$1"',
      "sh",
      path,
      text,
    );
    if (code !== 0) throw new Error(`cannot write ${path}: ${stderr}`);
  }
}

const INSIDE = {
  NODE_COMPILE_CACHE: "/tmp/compile-cache",
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  NO_COLOR: "1",
};

/** Groups are removed from the innermost out. */
async function removeGroup(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await removeGroup(join(path, entry.name));
  }
  await rmdir(path);
}
