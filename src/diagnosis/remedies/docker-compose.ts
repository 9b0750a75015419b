import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ClawkitError } from "../../core/errors.ts";
import { lineDiff } from "../../core/line-diff.ts";
import type { Container } from "../../host/docker-container.ts";
import { isUp, portInside, runsFamily } from "../facts/gateway-containers.ts";
import type { Machine } from "../machine.ts";
import { type ComposeChange, composeValue, patchCompose } from "./compose-file.ts";
import {
  type ComposeCommand,
  type ComposeProject,
  composeCommand,
  composeProjectOf,
  composeUp,
  isReproducible,
} from "./compose-project.ts";
import { containersHere } from "./docker.ts";
import { has, replaceUnchanged } from "./shared.ts";
import type { Plan, Repair } from "./types.ts";

const START_MS = 90_000;

/** The name that the page's commands ask for: `docker logs openclaw-gateway`. */
const PAGE_NAME = "openclaw-gateway";

/** What `docker update` sets is lost when Compose makes the container anew: its file must say it, too. */
export const composeRestart: Repair = {
  id: "compose-restart-policy",
  helpsWith: ["docker-no-restart-policy"],
  async plan({ machine }) {
    const found = await gatewayProject(machine);
    if (found === undefined) return undefined;
    const { project, gateway } = found;
    if ((await composeValue(project.text, project.service, "restart")) === "unless-stopped") return undefined;
    const changes: ComposeChange[] = [{ kind: "set", key: "restart", value: "unless-stopped" }];
    const edit = await editOf(project, [...changes, ...(await nameChange(project, gateway))]);
    // the container that there is gets it by another repair, without being made anew
    return edit === undefined
      ? undefined
      : planOf(edit, `set restart: unless-stopped for ${project.service}`);
  },
};

/** For this machine only: to open it to the network is for its owner to decide. */
export const composePublish: Repair = {
  id: "compose-publish",
  helpsWith: ["docker-port-not-published"],
  async plan({ machine, examination }) {
    if (!has(examination, "container-not-published")) return undefined;
    const found = await gatewayProject(machine);
    if (found === undefined) return undefined;
    const { project, gateway } = found;
    const port = `127.0.0.1:${machine.target.port}:${portInside(gateway)}`;
    const edit = await editOf(project, [{ kind: "publish", port }, ...(await nameChange(project, gateway))]);
    return edit === undefined ? undefined : anew(edit, `publish ${port} for ${project.service}`, gateway);
  },
};

/** Where the compose file, or the .env file beside it, tells the gateway to listen on loopback. */
export const composeBind: Repair = {
  id: "compose-bind",
  helpsWith: ["docker-loopback-bind"],
  async plan({ machine }) {
    const found = await gatewayProject(machine);
    if (found === undefined) return undefined;
    const { project, gateway } = found;
    const edit =
      (await editOf(project, [{ kind: "bind", value: "lan" }])) ?? (await environmentEdit(project));
    return edit === undefined ? undefined : anew(edit, `set the bind of ${project.service} to lan`, gateway);
  },
};

/** The CLI's service shares the gateway's network: 127.0.0.1 is the gateway's then (#12504, as merged upstream). */
export const composeCliNetwork: Repair = {
  id: "compose-cli-network",
  helpsWith: ["docker-cli-wrong-netns"],
  async plan({ machine }) {
    const here = await containersHere(machine);
    if (here?.gateway === undefined) return undefined;
    const gateway = await composeProjectOf(here.gateway);
    for (const cli of here.commandLines) {
      const project = await composeProjectOf(cli);
      if (project === undefined || gateway === undefined || project.folder !== gateway.folder) continue;
      const has = async (key: string) =>
        (await composeValue(project.text, project.service, key)) !== undefined;
      // Compose refuses them together
      if ((await has("networks")) || (await has("ports"))) continue;
      const value = `service:${gateway.service}`;
      const edit = await editOf(project, [{ kind: "set", key: "network_mode", value }]);
      if (edit === undefined) continue;
      const what = `set network_mode: "${value}" for ${project.service}`;
      // the next `docker compose run` makes another one anyway
      const isOneOff = cli.labels["com.docker.compose.oneoff"] === "True";
      return isOneOff ? planOf(edit, what) : anew(edit, what, cli);
    }
    return undefined;
  },
};

interface Edit {
  readonly project: ComposeProject;
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

async function gatewayProject(
  machine: Machine,
): Promise<{ project: ComposeProject; gateway: Container } | undefined> {
  const gateway = (await containersHere(machine))?.gateway;
  const project = gateway === undefined ? undefined : await composeProjectOf(gateway);
  return gateway === undefined || project === undefined ? undefined : { project, gateway };
}

async function editOf(project: ComposeProject, changes: readonly ComposeChange[]): Promise<Edit | undefined> {
  const after = await patchCompose(project.text, project.service, changes);
  if (after === undefined || after === project.text) return undefined;
  return { project, path: project.file, before: project.text, after };
}

/** Upstream's compose file takes it from `.env`: `--bind ${OPENCLAW_GATEWAY_BIND:-lan}`. */
async function environmentEdit(project: ComposeProject): Promise<Edit | undefined> {
  const path = join(project.folder, ".env");
  const before = await readFile(path, "utf8").catch(() => "");
  const after = before.replace(/^(OPENCLAW_GATEWAY_BIND=["']?)(loopback|localhost|127\.0\.0\.1)\b/m, "$1lan");
  if (after === before || !project.text.includes("OPENCLAW_GATEWAY_BIND")) return undefined;
  return { project, path, before, after };
}

/** The page's commands name the container; Compose calls it after project, service and number. */
async function nameChange({ text, service }: ComposeProject, { name }: Container): Promise<ComposeChange[]> {
  const isNamed = name === PAGE_NAME || (await composeValue(text, service, "container_name")) !== undefined;
  if (isNamed || service !== PAGE_NAME) return [];
  return [{ kind: "set", key: "container_name", value: PAGE_NAME }];
}

/** The edit, and the container made anew: that ends the one that there is. */
function anew(edit: Edit, what: string, container: Container): Plan {
  const { project } = edit;
  const command = `docker compose up -d ${project.service}`;
  const plan = planOf(edit, what, `, and make its container anew (${command})`);
  return {
    ...plan,
    settleMs: START_MS,
    apply: async () => {
      const compose = await composeFor(project, container, command);
      await plan.apply();
      await composeUp(project, compose);
    },
  };
}

/** Throws, before anything is changed, if the new container would differ from the old one in more than the edit. */
async function composeFor(
  project: ComposeProject,
  container: Container,
  command: string,
): Promise<ComposeCommand> {
  const byHand = `change ${project.file} as --dry-run shows, and run in ${project.folder}: ${command}`;
  const refused = (why: string) =>
    new ClawkitError("CONTROL_FAILED", `Not done, as ${why}; do it yourself: ${byHand}`);
  if (isUp(container) && !runsFamily(container)) {
    throw refused(
      `container ${container.name} runs ${container.command.join(" ")}, which is no gateway's command`,
    );
  }
  const compose = await composeCommand();
  if (compose === undefined) throw refused("there is no docker compose here");
  if (await isReproducible(project, compose, container)) return compose;
  throw refused(`Compose would make another container now: its file, or the environment, is not what it was`);
}

function planOf({ path, before, after }: Edit, what: string, then = ""): Plan {
  return {
    what: `${what} in ${path}${then}`,
    risk: "disruptive",
    files: [path],
    diff: lineDiff(before, after),
    apply: () => replaceUnchanged(path, before, after),
  };
}
