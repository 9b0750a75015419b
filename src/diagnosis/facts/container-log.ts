import { withoutSecrets } from "../../core/secrets.ts";
import type { DockerEngine } from "../../host/docker.ts";
import type { Container } from "../../host/docker-container.ts";
import type { Machine } from "../machine.ts";
import type { Fact } from "../types.ts";
import { isUp } from "./gateway-containers.ts";
import { saidByOpenClaw } from "./said-by-openclaw.ts";
import { saidBySystems } from "./said-by-systems.ts";
import { readText } from "./text.ts";

const LINES = 200;
const DEEP_LINES = 5_000;

/** Of its last words, what is shown. */
const SHOWN = 3;

/** What people tell in reports is no program's word. */
const RULES = [...saidByOpenClaw, ...saidBySystems].filter(({ id }) => id.endsWith("-said"));

/** What a container's last life printed: what it says of trouble, and its last lines if it is over. */
export async function containerLog(
  container: Container,
  machine: Machine,
  engine: DockerEngine,
): Promise<Fact[]> {
  const source = `docker logs ${container.name}`;
  const text = await engine
    .log(container, container.startedAt ?? 0, machine.isDeep ? DEEP_LINES : LINES)
    .catch(() => "");
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const facts = lines.flatMap((line): Fact[] => {
    const [, time, words] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (words === undefined || Number.isNaN(Date.parse(time!))) return [];
    const at = new Date(Date.parse(time!)).toISOString();
    return readText(withoutSecrets(words), RULES).map((fact) => ({ ...fact, source, at }));
  });
  if (isUp(container)) return facts;
  for (const line of lines.slice(-SHOWN)) {
    facts.push({ id: "exit-line", detail: withoutSecrets(line.replace(/^\S+ /, "")), source });
  }
  return facts;
}
