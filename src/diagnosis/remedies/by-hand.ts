import { placesOf } from "../facts/variable-places.ts";
import type { Machine } from "../machine.ts";
import type { Diagnosis, Fact, Remedy } from "../types.ts";
import { unitOf } from "./system.ts";

/** What NO_PROXY must list, for a proxy to leave this machine's gateway alone. */
export const LOOPBACK_EXCEPTIONS = "127.0.0.1,localhost,::1";

type ExactLines = (facts: readonly Fact[], machine: Machine) => Promise<Remedy[]>;

/** What no program can do for a person: the exact lines for this machine. */
const EXACT: Readonly<Record<string, ExactLines>> = {
  "wrong-url-or-port": async (facts, machine) => [
    ...(await variableLines(facts, machine)),
    ...(await addressLines(facts, machine)),
  ],
  "proxy-captures-loopback": proxyLines,
  "not-listening": async (facts, machine) => [...switchedOffLines(facts), ...(await installLines(machine))],
  "config-invalid": async (facts) => ownConfigLines(facts),
};

/** Puts the exact lines before what helps on any machine. */
export async function withExactLines(
  diagnosis: Diagnosis,
  facts: readonly Fact[],
  machine: Machine,
): Promise<Diagnosis> {
  const causes = await Promise.all(
    diagnosis.causes.map(async (cause) => {
      const exact = cause.verdict === "ruled out" ? [] : ((await EXACT[cause.id]?.(facts, machine)) ?? []);
      return exact.length === 0 ? cause : { ...cause, remedies: [...exact, ...cause.remedies] };
    }),
  );
  return { ...diagnosis, causes };
}

const OF_VARIABLE = ["url-variable-elsewhere", "url-variable-broken", "url-variable-scheme"];

async function variableLines(facts: readonly Fact[], machine: Machine): Promise<Remedy[]> {
  if (!facts.some(({ id }) => OF_VARIABLE.includes(id))) return [];
  const name = "OPENCLAW_GATEWAY_URL";
  const url = await gatewayUrl(machine);
  const text = `${name} is a variable of your shell: ${await whereTo(name, machine)}`;
  const commands =
    machine.platform === "win32"
      ? [`setx ${name} ${url}`, `$env:${name} = "${url}"`]
      : [`export ${name}=${url}`, `unset ${name}`];
  return [{ text, commands, risk: "safe" }];
}

/** Somebody was given another address than the gateway's. */
async function addressLines(facts: readonly Fact[], machine: Machine): Promise<Remedy[]> {
  if (!facts.some(({ id }) => id === "configured-port-answers")) return [];
  const text = `Give the client this address: ${await gatewayUrl(machine)}`;
  return [{ text, risk: "safe" }];
}

/** Where it should be: a person may have asked about another port. */
async function gatewayUrl({ target, configuredPort }: Machine): Promise<string> {
  const port = target.isLocal ? await configuredPort() : target.port;
  return target.url.replace(/:\d+$/, `:${port}`);
}

async function proxyLines(facts: readonly Fact[], machine: Machine): Promise<Remedy[]> {
  if (!facts.some(({ id }) => id === "proxy-without-exclusion")) return [];
  const { env, platform } = machine;
  // of both spellings Node takes the small one (nodejs.org, "Built-in Proxy Support")
  const name = env.no_proxy ? "no_proxy" : "NO_PROXY";
  const text = `The proxy is a variable of your shell, and so is what it leaves alone: ${await whereTo(name, machine)}`;
  const commands =
    platform === "win32"
      ? [
          `setx ${name} "${[env[name], LOOPBACK_EXCEPTIONS].filter(Boolean).join(",")}"`,
          `$env:${name} = "$env:${name},${LOOPBACK_EXCEPTIONS}"`,
        ]
      : [`export ${name}="\${${name}:+$${name},}${LOOPBACK_EXCEPTIONS}"`];
  return [{ text, commands, risk: "safe" }];
}

/** In a shell that runs a line helps until it ends; after that its profile counts. */
async function whereTo(name: string, machine: Machine): Promise<string> {
  const places = await placesOf(name, machine);
  if (places.length > 0) return `change it in ${places.join(" and ")}, and in this shell.`;
  return machine.platform === "win32"
    ? "set it for new shells, and for this one."
    : "in this shell, and in its profile.";
}

/** `openclaw gateway run` is no help where there is no OpenClaw. */
async function installLines(machine: Machine): Promise<Remedy[]> {
  if (!machine.target.isLocal || (await machine.isOpenClaw()) || (await machine.hasOwnState())) return [];
  const text = "No gateway is installed for this user: start ClawKit's own.";
  return [{ text, commands: ["clawkit gateway start"], risk: "safe" }];
}

/** What helps elsewhere is of OpenClaw's config. */
function ownConfigLines(facts: readonly Fact[]): Remedy[] {
  const broken = facts.find(({ id }) => id === "own-config-broken");
  if (broken === undefined) return [];
  const text = `Correct ${broken.source}: ClawKit says whether it is right.`;
  return [{ text, commands: ["clawkit config validate"], risk: "safe" }];
}

function switchedOffLines(facts: readonly Fact[]): Remedy[] {
  const off = facts.filter(({ id, source }) => id === "service-switched-off" && source.startsWith("systemd"));
  return off.map((fact): Remedy => {
    const [unit, scope] = unitOf(fact);
    const isMasked = fact.detail.includes("masked");
    const systemctl = ["systemctl", ...scope].join(" ");
    return {
      text: `${fact.detail}: whoever did that may have had a reason, so it is not started for you.`,
      commands: [...(isMasked ? [`${systemctl} unmask ${unit}`] : []), `${systemctl} enable --now ${unit}`],
      risk: "disruptive",
    };
  });
}
