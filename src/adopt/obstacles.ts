import { dirname } from "node:path";
import type { Machine } from "../diagnosis/machine.ts";
import type { ServiceFacts } from "../host/types.ts";
import { switchOffCommand } from "../services/rivals.ts";
import { isShortLived } from "../services/stable-path.ts";
import type { Installation } from "./installation.ts";
import { bindOf, isOpenToOthers } from "./place.ts";

/** Why OpenClaw cannot be adopted as it is, and what to type about it. */
export interface Obstacle {
  readonly text: string;
  readonly commands: readonly string[];
}

const obstacle = (text: string, ...commands: string[]): Obstacle => ({ text, commands });

/** Everything that stands in the way, what must be done first at the front. */
export async function obstaclesFor(found: Installation, machine: Machine): Promise<Obstacle[]> {
  const ours = await ownState(machine);
  if (ours !== undefined) return [ours];
  if (found.command === undefined) {
    return [
      obstacle("no openclaw is on the PATH: only an installed OpenClaw can be adopted", "npm i -g openclaw"),
    ];
  }
  const [program = ""] = found.command;
  if (isShortLived(program)) {
    return [
      obstacle(`the openclaw on the PATH (${program}) will not stay there: install it`, "npm i -g openclaw"),
    ];
  }
  return [
    ...ownersOf(found),
    ...configObstacles(found),
    ...runningObstacles(found, machine),
    ...portObstacles(found),
  ];
}

/** Two that look after one gateway fight: who has it now must let it go first. */
async function ownState(machine: Machine): Promise<Obstacle | undefined> {
  const config = await machine.ownConfig().catch(() => undefined);
  const { supervisor } = await machine.status();
  const isAdopted = config?.gateway.upstream.type === "openclaw";
  if (isAdopted && supervisor.pid !== null) {
    return obstacle("OpenClaw is behind ClawKit already, and runs", "clawkit gateway status");
  }
  if (isAdopted) {
    return obstacle("OpenClaw is behind ClawKit already; it is not running", "clawkit gateway start");
  }
  if (supervisor.pid === null) return undefined;
  return obstacle(
    `ClawKit runs another gateway here (its supervisor is pid ${supervisor.pid}): stop it first`,
    "clawkit gateway stop",
  );
}

function ownersOf({
  services,
  container,
  portOwners,
  firstProcess,
  configPath,
  port,
}: Installation): Obstacle[] {
  const found = services.map(handOver);
  if (container !== undefined) {
    const { name, service } = container;
    found.push(
      obstacle(
        `container ${name} runs a gateway: ClawKit would start a second OpenClaw beside it, maybe on its state. Stop the container, and see that nothing brings it back`,
        `docker update --restart=no ${name} && docker stop ${name}`,
        ...(service === undefined
          ? []
          : [`docker compose stop ${service}   # the same, in the folder of its compose file`]),
      ),
    );
  } else if (portOwners.some(({ command }) => /\bdocker-proxy\b|\brootlessport\b/.test(command ?? ""))) {
    found.push(
      obstacle(
        "the port belongs to a container: ClawKit would start a second OpenClaw on its state. Stop the container, and see that nothing brings it back",
        `docker ps --filter publish=${port}`,
        "docker update --restart=no <name> && docker stop <name>",
      ),
    );
  }
  if (firstProcess !== undefined && /\bgateway\b/.test(firstProcess)) {
    found.push(
      obstacle(
        `the gateway is this container's own main process (${firstProcess}): the container would end with it. Have the container run \`clawkit gateway run\` instead, with the folder of ${configPath} as it is`,
      ),
    );
  }
  return found;
}

function handOver(service: ServiceFacts): Obstacle {
  const state = service.isRunning ? "runs" : "is installed, and may start it any time";
  const text = `${service.manager} owns OpenClaw: ${service.name} ${state}. Two supervisors would fight over it; hand it over first`;
  const switchOff = switchOffCommand(service);
  // OpenClaw's own command knows services of its user
  if (service.manager === "systemd") return obstacle(text, switchOff);
  return obstacle(text, "openclaw gateway uninstall", `${switchOff}   # where that does not help`);
}

/** What must be known for certain: who gets in, and where. */
const DECISIVE = ["mode", "port", "bind", "authMode"] as const;

function configObstacles(found: Installation): Obstacle[] {
  const { gateway, configPath, configText } = found;
  const wrong = (text: string, ...commands: string[]) => [obstacle(`${configPath}: ${text}`, ...commands)];
  if ("problem" in gateway) return [obstacle(gateway.problem, "clawkit doctor --fix")];
  if (configText === undefined)
    return wrong("there is no such file: set OpenClaw up first", "openclaw onboard");
  const { mode, authMode, hasTls, hasIncludes } = gateway;
  const unsaid = hasIncludes ? DECISIVE.filter((key) => gateway[key] === undefined) : [];
  if (unsaid.length > 0) {
    const keys = unsaid.map((key) => (key === "authMode" ? "gateway.auth.mode" : `gateway.${key}`));
    return wrong(
      `it includes other files ($include), which ClawKit does not read. Whatever they say of it, this file has to say ${keys.join(", ")} itself`,
    );
  }
  if (mode === "remote") {
    return wrong("gateway.mode is remote: its gateway runs on another machine, and is to be adopted there");
  }
  if (mode !== "local") {
    return wrong(
      `gateway.mode must be "local" for a gateway to start, not ${JSON.stringify(mode) ?? "unset"}`,
      "openclaw config set gateway.mode local",
    );
  }
  const place = bindOf(found, gateway);
  if (typeof place === "string") return wrong(place);
  const obstacles: Obstacle[] = [];
  if (hasTls) {
    obstacles.push(
      ...wrong(
        "gateway.tls is enabled: the edge speaks to OpenClaw in plain text on loopback. Turn it off there, and name certificate and key in ClawKit's gateway.tls after the adoption",
        "openclaw config set gateway.tls.enabled false",
      ),
    );
  }
  if (authMode === "trusted-proxy") {
    obstacles.push(
      ...wrong(
        "gateway.auth.mode is trusted-proxy: the edge passes no identity headers of a proxy on, so nobody could log in",
      ),
    );
  }
  if (authMode === "none" && isOpenToOthers(place.bind)) {
    obstacles.push(
      ...wrong(
        `gateway.auth.mode is none and gateway.bind ${gateway.bind ?? "unset"} lets other machines in: OpenClaw could not tell them from local clients`,
        "openclaw config set gateway.auth.mode token",
        "openclaw config set gateway.bind loopback",
      ),
    );
  }
  return obstacles;
}

function runningObstacles(found: Installation, { userName }: Machine): Obstacle[] {
  const { running, port, configPath } = found;
  return running.flatMap(({ facts, port: itsPort, isProven }) => {
    const { pid, user } = facts;
    if (user !== userName) {
      return [
        obstacle(`OpenClaw's gateway (pid ${pid}) runs as ${user ?? "another user"}: adopt it as that user`),
      ];
    }
    if (itsPort !== undefined && itsPort !== port) {
      return [
        obstacle(
          `the gateway that runs (pid ${pid}) has port ${itsPort}, its config says ${port}: which one do its clients use? Make them the same, or stop it`,
          `openclaw config set gateway.port ${itsPort}`,
        ),
      ];
    }
    if (!isProven) {
      return [
        obstacle(
          `pid ${pid} looks like OpenClaw's gateway, but holds no lock in ${dirname(configPath)}: it may be one of another profile. Stop it yourself`,
          `kill ${pid}`,
        ),
      ];
    }
    return elsewhere(found, pid);
  });
}

/** Options that it was started with count before its config: others would get in, or nobody. */
function elsewhere(found: Installation, pid: number): Obstacle[] {
  const { gateway, portOwners, configPath } = found;
  const addresses = portOwners.filter((owner) => owner.pid === pid).map(({ address }) => address);
  const place = "problem" in gateway ? "" : bindOf(found, gateway);
  if (addresses.length === 0 || typeof place === "string") return [];
  const isOpen = addresses.some(isOpenToOthers);
  if (isOpen === isOpenToOthers(place.bind)) return [];
  return [
    obstacle(
      `the gateway that runs (pid ${pid}) listens on ${addresses.join(", ")}, by ${configPath} it would be ${place.bind}: it was started with other options. Say there what is to be`,
      `openclaw config set gateway.bind ${isOpen ? "lan" : "loopback"}`,
    ),
  ];
}

function portObstacles({ portOwners, running, port }: Installation): Obstacle[] {
  const foreign = portOwners.find(({ pid }) => !running.some(({ facts }) => facts.pid === pid));
  if (foreign === undefined || /\bdocker-proxy\b|\brootlessport\b/.test(foreign.command ?? "")) return [];
  const who =
    foreign.command === undefined
      ? "a process that this user may not see"
      : `${foreign.command} (pid ${foreign.pid})`;
  return [
    obstacle(`port ${port} is held by ${who}, which is no gateway of OpenClaw`, `clawkit port ${port}`),
  ];
}
