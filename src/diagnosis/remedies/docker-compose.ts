import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Container } from "../../host/docker-container.ts";
import { portInside } from "../facts/gateway-containers.ts";
import type { Machine } from "../machine.ts";
import { type Edit, type EditPlace, editPlan, recreationPlan } from "./compose-edit.ts";
import { type ComposeChange, composeValue, patchCompose } from "./compose-file.ts";
import { type ComposeProject, composeProjectOf } from "./compose-project.ts";
import { containersHere } from "./docker.ts";
import { has } from "./shared.ts";
import type { Repair } from "./types.ts";

/** Compose, or Docker, refuses them together with the network of another container. */
const OF_OWN_NETWORK = [
  "networks",
  "ports",
  "hostname",
  "domainname",
  "dns",
  "dns_search",
  "dns_opt",
  "extra_hosts",
  "mac_address",
  "expose",
  "links",
];

/** The name that the page's commands ask for: `docker logs openclaw-gateway`. */
const PAGE_NAME = "openclaw-gateway";

/** What `docker update` sets is lost when Compose makes the container anew: its file must say it, too. */
export const composeRestart: Repair = {
  id: "compose-restart-policy",
  helpsWith: ["docker-no-restart-policy"],
  async plan({ machine }) {
    const found = await gatewayProject(machine);
    if (found === undefined) return undefined;
    const { project, gateway, place } = found;
    if ((await composeValue(project.text, project.service, "restart")) === "unless-stopped") return undefined;
    const changes: ComposeChange[] = [{ kind: "set", key: "restart", value: "unless-stopped" }];
    const edit = await editOf(project, [...changes, ...(await nameChange(project, gateway))]);
    // the container that there is gets it by another repair, without being made anew
    return edit === undefined
      ? undefined
      : editPlan(edit, `set restart: unless-stopped for ${project.service}`, place);
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
    const { project, gateway, place } = found;
    const port = `127.0.0.1:${machine.target.port}:${portInside(gateway)}`;
    const edit = await editOf(project, [{ kind: "publish", port }]);
    if (edit === undefined) return undefined;
    return recreationPlan(edit, `publish ${port} for ${project.service}`, gateway, place);
  },
};

/** Where the compose file, or the .env file beside it, tells the gateway to listen on loopback. */
export const composeBind: Repair = {
  id: "compose-bind",
  helpsWith: ["docker-loopback-bind"],
  async plan({ machine }) {
    const found = await gatewayProject(machine);
    if (found === undefined) return undefined;
    const { project, gateway, place } = found;
    const edit =
      (await editOf(project, [{ kind: "bind", value: "lan" }])) ?? (await environmentEdit(project));
    if (edit === undefined) return undefined;
    return recreationPlan(edit, `set the bind of ${project.service} to lan`, gateway, place);
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
      const { text, service } = project;
      const own = await Promise.all(OF_OWN_NETWORK.map((key) => composeValue(text, service, key)));
      if (own.some((value) => value !== undefined)) continue;
      const value = `service:${gateway.service}`;
      const edit = await editOf(project, [{ kind: "set", key: "network_mode", value }]);
      if (edit === undefined) continue;
      const what = `set network_mode: "${value}" for ${service}`;
      // the next `docker compose run` makes another one anyway
      const isOneOff = cli.labels["com.docker.compose.oneoff"] === "True";
      const place = { machine, engine: here.engine };
      return isOneOff ? editPlan(edit, what, place) : recreationPlan(edit, what, cli, place);
    }
    return undefined;
  },
};

async function gatewayProject(
  machine: Machine,
): Promise<{ project: ComposeProject; gateway: Container; place: EditPlace } | undefined> {
  const { gateway, engine } = (await containersHere(machine)) ?? {};
  const project = gateway === undefined ? undefined : await composeProjectOf(gateway);
  if (gateway === undefined || engine === undefined || project === undefined) return undefined;
  return { project, gateway, place: { machine, engine } };
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
