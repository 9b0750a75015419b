import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { ClawkitLab } from "./clawkit-lab.ts";
import type { DoctorCall } from "./fault.ts";

/** What `systemctl --user show` says of OpenClaw's unit, in the form of systemd 252; the others are not there. */
export interface Unit {
  readonly active: string;
  readonly sub: string;
  readonly result: string;
  readonly status: number;
  /** What it starts. */
  readonly command?: readonly string[];
}

/** A machine whose systemd says this: no systemd runs here that could be driven to it. */
export async function withSystemd(lab: ClawkitLab, unit: Unit, linger: "yes" | "no"): Promise<DoctorCall> {
  const folder = join(lab.home, "bin");
  await mkdir(folder, { recursive: true });
  const missing = (name: string) => [
    `Id=${name}.service`,
    "LoadState=not-found",
    "ActiveState=inactive",
    "SubState=dead",
  ];
  const loaded = [
    "Id=openclaw-gateway.service",
    "LoadState=loaded",
    `ActiveState=${unit.active}`,
    `SubState=${unit.sub}`,
    `Result=${unit.result}`,
    "Restart=always",
    `ExecMainStatus=${unit.status}`,
    ...execStart(unit),
  ];
  const blocks = [
    loaded,
    missing("openclaw"),
    missing("clawkit"),
    missing("clawdbot-gateway"),
    missing("moltbot-gateway"),
  ];
  const shown = blocks.map((lines) => lines.join("\n")).join("\n\n");
  const systemctl = `case "$*" in *--user*show*) cat <<'END'\n${shown}\nEND\n;; *show*) ;; *) exit 1;; esac`;
  const scripts = { systemctl, loginctl: `echo Linger=${linger}` };
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  // a machine that never saw ClawKit, and a port on which nobody listens
  const port = String(lab.clawkit.port);
  const env = { CLAWKIT_STATE_DIR: join(lab.home, "clawkit"), OPENCLAW_GATEWAY_PORT: port };
  return { env: { ...env, PATH: `${folder}${delimiter}${lab.env.PATH}` } };
}

function execStart({ command, status }: Unit): string[] {
  if (command === undefined) return [];
  const times = "start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=exited";
  return [
    `ExecStart={ path=${command[0]} ; argv[]=${command.join(" ")} ; ignore_errors=no ; ${times} ; status=${status} }`,
  ];
}
