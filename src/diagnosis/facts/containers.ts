import type { DockerEngine } from "../../host/docker.ts";
import type { Container, ContainerEvent, ContainerSummary } from "../../host/docker-container.ts";
import { listenersInside } from "../../host/network-namespace.ts";
import type { Look, Machine } from "../machine.ts";
import { composeValue } from "../remedies/compose-file.ts";
import { composeProjectOf } from "../remedies/compose-project.ts";
import type { Fact } from "../types.ts";
import { endOf, factsOfEnd } from "./container-end.ts";
import { containerLog } from "./container-log.ts";
import {
  engineOf,
  gatewayContainers,
  isUp,
  portInside,
  publishedAt,
  serviceOf,
} from "./gateway-containers.ts";

/** A container that its policy restarts is up for a moment each time: what ended it counts for this long. */
const YOUNG_MS = 60_000;

/** An old lifetime has many events; those around its end are the last ones. */
const MAX_LIFE_MS = 7 * 24 * 3_600_000;

/** What a health check prints when the check itself cannot be run (OCI runtime, a shell without the program). */
const CHECK_BROKEN = /executable file not found|exec failed|: not found|no such file or directory/i;

/** Of a command line's log, what is read, and for how long it counts. */
const CLI_LINES = 50;
const CLI_MS = 10 * 60_000;
const CLI_REFUSED = /ECONNREFUSED|connection refused|Gateway not reachable/i;

const LOOPBACK = /^(127\.|::1$|0:0:0:0:0:ffff:7f)/;

/** Gateways in containers, asked of the Docker Engine. */
export const containers: Look = {
  id: "containers",
  what: "containers of gateways",
  async look(machine) {
    if (!machine.target.isLocal) return [];
    const engine = await engineOf(machine);
    if (engine === undefined) return [];
    const { gateway, others, commandLines, elsewhere, stranger } = await gatewayContainers(machine, engine);
    if (gateway === undefined) {
      if (stranger !== undefined) return [strangerFact(stranger, machine)];
      return elsewhere.map((one) => elsewhereFact(one, machine));
    }
    const [own, ...beside] = await Promise.all([
      factsOf(gateway, machine, engine),
      ...commandLines.map((one) => factsOfCommandLine(one, gateway, machine, engine)),
    ]);
    const facts = [...own, ...beside.flat()];
    if (others.some(isUp)) {
      const names = [gateway, ...others.filter(isUp)].map(({ name }) => name).join(", ");
      const detail = `several containers are gateways of port ${machine.target.port}: ${names}`;
      facts.push({ id: "containers-several", detail, source: "docker ps" });
    }
    return facts;
  },
};

async function factsOf(container: Container, machine: Machine, engine: DockerEngine): Promise<Fact[]> {
  const { id, name, image, state, restartCount } = container;
  const source = `docker inspect ${name}`;
  const policy = container.restartPolicy.name || "no";
  const detail = `container ${name} of ${image} is ${state}, restart policy ${policy}, restarted ${restartCount} times`;
  const names = { container: name, service: serviceOf(container) ?? name };
  const facts: Fact[] = [{ id: "container-of-gateway", detail, source, names }];
  const now = machine.clock.wall();
  const since = Math.max(container.startedAt ?? 0, now - MAX_LIFE_MS);
  // a young life is looked at with the one before it
  const isYoung = isUp(container) && restartCount > 0 && now - since < YOUNG_MS;
  const [events, network, log] = await Promise.all([
    engine.events(id, isYoung ? now - 2 * YOUNG_MS : since, now).catch(() => []),
    isUp(container) ? networkFacts(container, machine, source) : [],
    containerLog(container, machine, engine),
  ]);
  facts.push(...healthFacts(container, source), ...endFacts(container, events, isYoung, source), ...network);
  if (state === "paused") {
    facts.push({ id: "container-paused", detail: `container ${name} is paused: it does nothing`, source });
  }
  return [...facts, ...log];
}

function strangerFact({ name, image }: ContainerSummary, { target }: Machine): Fact {
  const detail = `container ${name} of ${image} publishes port ${target.port}`;
  return { id: "port-container", detail, source: "docker ps" };
}

function elsewhereFact({ name, ports }: Container, { target }: Machine): Fact {
  const at = [...new Set(ports.map(({ hostPort }) => hostPort))].join(", ");
  const detail = `the gateway in container ${name} is published at port ${at} of this machine, not at ${target.port}`;
  return { id: "container-published-elsewhere", detail, source: `docker inspect ${name}` };
}

/** How its last life ended, and whether anything would bring it back. */
function endFacts(
  container: Container,
  events: readonly ContainerEvent[],
  isYoung: boolean,
  source: string,
): Fact[] {
  // of `docker restart` the end of the life before is told right before the start
  const past = isYoung ? pastLife(container, events) : container;
  const ofIt = isYoung ? events : events.filter(({ at }) => at >= (container.startedAt ?? 0));
  const end = past === undefined ? undefined : endOf(past, ofIt);
  if (end === undefined) return [];
  const facts = factsOfEnd(end, source);
  if (isUp(container) || end.byOperator || container.error !== "") return facts;
  const { name, restartPolicy, exitCode } = container;
  if (restartPolicy.name === "" || restartPolicy.name === "no") {
    const detail = `container ${name} has no restart policy: it stays down when it ends`;
    facts.push({ id: "container-no-restart-policy", detail, source });
  } else if (restartPolicy.name === "on-failure" && exitCode === 0) {
    const detail = `the restart policy of container ${name} is on-failure: it does not bring back what exits with 0`;
    facts.push({ id: "container-no-restart-policy", detail, source });
  }
  const isOwnEnd = container.isOomKilled || ofIt.some(({ action }) => action === "die");
  facts.push({ id: isOwnEnd ? "container-ended-itself" : "container-ended", detail: end.detail, source });
  return facts;
}

/** The life before this one, of which the engine keeps only events. */
function pastLife(container: Container, events: readonly ContainerEvent[]): Container | undefined {
  const die = events.findLast(({ action }) => action === "die");
  if (die === undefined) return undefined;
  const isOomKilled = events.some(({ action, at }) => action === "oom" && at <= die.at + 1_000);
  return { ...container, state: "exited", exitCode: die.exitCode ?? 0, finishedAt: die.at, isOomKilled };
}

function healthFacts({ name, health, state, ...container }: Container, source: string): Fact[] {
  if (health === undefined || state !== "running") return [];
  const { lastExitCode, lastOutput } = health;
  const said = lastOutput ? `: ${lastOutput.replace(/\s*\n\s*/g, " / ").slice(0, 200)}` : "";
  if (health.status === "starting") {
    return [
      { id: "container-starting", detail: `the health of container ${name} is "starting"${said}`, source },
    ];
  }
  if (health.status !== "unhealthy") return [];
  const isBroken = lastExitCode !== 1 && CHECK_BROKEN.test(lastOutput ?? "");
  const times = `${health.failingStreak} checks in a row failed`;
  const policy = container.restartPolicy.name || "no";
  const detail = `container ${name} is unhealthy, ${times}, the last with code ${lastExitCode ?? "?"}${said}; Docker does not act on it, whatever the restart policy (${policy})`;
  return [{ id: isBroken ? "container-check-broken" : "container-unhealthy", detail, source }];
}

/** Whether what comes in at the host's port finds somebody inside. */
async function networkFacts(
  container: Container,
  { target, platform }: Machine,
  source: string,
): Promise<Fact[]> {
  const { name, networkMode, ports, id, pid } = container;
  if (networkMode === "host") return [];
  const published = publishedAt(container, target.port);
  const inside = published?.inside ?? portInside(container);
  const facts: Fact[] = [];
  if (published === undefined) {
    const others = ports.map(({ inside: from, hostPort }) => `${from} at ${hostPort}`).join(", ");
    const what = others === "" ? "publishes no port" : `publishes ${others}`;
    const detail = `container ${name} runs and ${what}: port ${target.port} of this machine does not lead into it`;
    facts.push({ id: "container-not-published", detail, source });
  }
  const at = platform === "linux" && pid > 0 ? await listenersInside(pid, id, inside) : undefined;
  if (at?.length === 0) {
    const detail = `nothing listens on port ${inside} inside container ${name}`;
    facts.push({ id: "container-nothing-listens", detail, source: `/proc/${pid}/net/tcp` });
  } else if (at?.every((address) => LOOPBACK.test(address))) {
    const detail = `the gateway in container ${name} listens on ${at.join(", ")} only, where a published port does not lead`;
    facts.push({ id: "container-listens-loopback", detail, source: `/proc/${pid}/net/tcp` });
  }
  const told = bindOf(container);
  if (at === undefined && told !== undefined && /^(loopback|localhost|127\.|::1$)/.test(told)) {
    facts.push({
      id: "container-told-loopback",
      detail: `container ${name} is told to bind ${told}`,
      source,
    });
  }
  return facts;
}

/** Where it is told to listen: by its command line, or its environment. */
export function bindOf({ command, env }: Container): string | undefined {
  return /--bind[= ](\S+)/.exec(command.join(" "))?.[1] ?? env.OPENCLAW_GATEWAY_BIND;
}

/** A command line in a network of its own reaches no gateway at 127.0.0.1 (knowledge §2.1, `docker-cli-wrong-netns`). */
async function factsOfCommandLine(
  cli: Container,
  gateway: Container,
  machine: Machine,
  engine: DockerEngine,
): Promise<Fact[]> {
  const isShared = cli.networkMode === "host" || cli.networkMode === `container:${gateway.id}`;
  const url = cli.env.OPENCLAW_GATEWAY_URL;
  if (isShared || (url !== undefined && !/\/\/(127\.|localhost|\[::1\])/.test(url))) return [];
  const now = machine.clock.wall();
  const log = await engine.log(cli, cli.startedAt ?? 0, CLI_LINES).catch(() => "");
  const refused = log.split("\n").findLast((line) => CLI_REFUSED.test(line)) ?? "";
  const [, time = "", words = ""] = /^(\S+) (.*)$/.exec(refused) ?? [];
  const at = Date.parse(time);
  const where = `container ${cli.name} has a network of its own (${cli.networkMode}), where 127.0.0.1 is not ${gateway.name}`;
  // of a time when the gateway was there to be reached, and one that whoever asks now means
  const isTelling = gateway.state === "running" && at > (gateway.startedAt ?? now) && now - at < CLI_MS;
  // what a command was told before its file was mended is over with it
  if (isTelling && !isUp(cli) && (await isMended(cli))) return [];
  if (!isTelling) return [{ id: "cli-container-apart", detail: where, source: `docker inspect ${cli.name}` }];
  const detail = `${where}; it says: ${words.slice(0, 200)}`;
  const source = `docker logs ${cli.name}`;
  return [{ id: "cli-container-refused", detail, source, at: new Date(at).toISOString() }];
}

/** Whether its compose file lets the next one share a service's network. */
async function isMended(cli: Container): Promise<boolean> {
  const project = await composeProjectOf(cli);
  if (project === undefined) return false;
  const mode = await composeValue(project.text, project.service, "network_mode");
  return typeof mode === "string" && mode.startsWith("service:");
}
