import type { Look, Machine, Target } from "../machine.ts";
import type { Fact } from "../types.ts";
import { listeners } from "./port.ts";
import { type Answer, authority, CHALLENGE, get, speaksTls, upgrade } from "./probe.ts";

export const answer: Look = {
  id: "answer",
  what: "what answers at the gateway's address",
  async look(machine) {
    const { target, isDeep, configuredPort } = machine;
    const [health, ready, started] = await Promise.all(
      ["/healthz", "/readyz", "/startupz"].map((path) => get(target, path)),
    );
    const scheme = target.isTls ? "https" : "http";
    const source = `GET ${scheme}://${authority(target)}/healthz`;
    if (health!.kind !== "status")
      return await withoutAnswer(health!, target, source, await configuredPort());
    const isGateway = saysOk(health!.body);
    const facts: Fact[] = [{ id: "http-answers", detail: `/healthz answers HTTP ${health!.status}`, source }];
    if (health!.status === 200 && isGateway) {
      facts.push({ id: "healthz-ok", detail: "/healthz answers 200", source });
    } else if (health!.status >= 500) {
      const detail = `/healthz answers HTTP ${health!.status}${reasonIn(health!.body)}`;
      facts.push({ id: "not-healthy", detail, source });
    }
    if (ready!.kind === "status") facts.push(...readiness(ready!, source.replace("healthz", "readyz")));
    if (started!.kind === "status" && started!.status >= 500) {
      const detail = `/startupz answers HTTP ${started!.status}: it is still starting`;
      facts.push({ id: "starting-up", detail, source: source.replace("healthz", "startupz") });
    }
    if (!isGateway || isDeep || (await isOfOthers(machine))) facts.push(...(await webSocketFacts(target)));
    return facts;
  },
};

/** Any web server may say `ok: true`: who is not known to be a gateway has to greet like one. */
async function isOfOthers(machine: Machine): Promise<boolean> {
  return (await listeners(machine)).some(({ id }) => id === "port-foreign" || id === "port-owner-hidden");
}

/** On a gateway that is well a WebSocket attempt of ours would only stand in its log. */
async function webSocketFacts(target: Target): Promise<Fact[]> {
  const result = await upgrade(target, target.path);
  const source = `WebSocket upgrade at ${authority(target)}`;
  if (result.kind !== "status") return [{ id: "upgrade-unanswered", detail: result.detail, source }];
  if (result.status === 101) {
    if (result.body.includes(CHALLENGE))
      return [{ id: "upgrade-accepted", detail: "the upgrade is accepted, and a gateway greets", source }];
    const detail = "the upgrade is accepted, and no gateway greets (connect.challenge)";
    return [{ id: "upgrade-unlike-gateway", detail, source }];
  }
  const detail = `the upgrade is answered with HTTP ${result.status}`;
  return [{ id: "upgrade-refused", detail, source }];
}

function readiness({ status, body }: Extract<Answer, { kind: "status" }>, source: string): Fact[] {
  const facts: Fact[] = [];
  if (status >= 500) {
    facts.push({ id: "not-ready", detail: `/readyz answers HTTP ${status}${reasonIn(body)}`, source });
  }
  const loop = parsed(body)?.eventLoop as Record<string, unknown> | undefined;
  // `cpu` alone is a gateway that works, as each does for a while after its start
  const reasons = Array.isArray(loop?.reasons) ? loop.reasons.map(String) : [];
  if (loop?.degraded === true && reasons.includes("event_loop_delay")) {
    const detail = `/readyz says that its event loop is degraded: ${reasons.join(", ")}`;
    facts.push({ id: "loop-degraded", detail, source });
  }
  return facts;
}

const IDS = {
  refused: "connect-refused",
  reset: "connect-reset",
  silent: "http-silent",
  alert: "tls-there",
  plain: "plain-there",
  name: "name-unresolved",
  rejected: "tls-refuses-us",
  unreachable: "connect-unreachable",
  other: "not-http",
} as const;

async function withoutAnswer(
  failed: Exclude<Answer, { kind: "status" }>,
  target: Target,
  source: string,
  configuredPort: number,
): Promise<Fact[]> {
  const facts: Fact[] = [{ id: IDS[failed.kind], detail: failed.detail, source }];
  // a TLS server that is asked without TLS mostly just hangs up
  if (failed.kind === "reset" && !target.isTls && (await speaksTls(target))) {
    facts.push({
      id: "tls-there",
      detail: "it speaks TLS, and was asked without",
      source: authority(target),
    });
  }
  if (failed.kind === "refused" && target.isLocal) {
    const other = { ...target, host: target.host.includes(":") ? "127.0.0.1" : "::1" };
    const twin = await get(other, "/healthz");
    if (twin.kind === "status") {
      const detail = `${authority(other)} answers, and ${authority(target)} refuses`;
      facts.push({ id: "other-family-answers", detail, source: `GET http://${authority(other)}/healthz` });
    }
  }
  if (failed.kind !== "silent" && target.isLocal && configuredPort !== target.port) {
    const there = { ...target, port: configuredPort, isTls: false };
    const configured = await get(there, "/healthz");
    if (configured.kind === "status") {
      const detail = `a gateway answers on port ${configuredPort}, as configured; port ${target.port} was asked`;
      facts.push({ id: "configured-port-answers", detail, source: `GET http://${authority(there)}/healthz` });
    }
  }
  return facts;
}

/** OpenClaw's and ours say `{"ok":true,"status":"live"}`; a `status` of its own is what half of all web servers have. */
function saysOk(body: string): boolean {
  return parsed(body)?.ok === true;
}

function reasonIn(body: string): string {
  const value = parsed(body);
  const reason = value?.reason ?? value?.failing;
  return reason === undefined ? "" : `: ${typeof reason === "string" ? reason : JSON.stringify(reason)}`;
}

function parsed(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.slice(body.indexOf("{"), body.lastIndexOf("}") + 1));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
