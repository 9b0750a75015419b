import type { ServiceFacts } from "../../host/types.ts";
import type { Look } from "../machine.ts";
import type { Fact } from "../types.ts";
import { isExcluded } from "./environment.ts";

export const services: Look = {
  id: "services",
  what: "services of gateways",
  async look({ services: ask, target }) {
    const found = await ask();
    if (found === undefined) throw new Error("no service manager answers");
    const running = found.filter(({ isRunning }) => isRunning);
    const facts = found.flatMap(factsOf);
    for (const { name, manager, proxyExceptions: list } of found) {
      if (list === undefined || !target.isLocal || isExcluded(list, target)) continue;
      const detail = `${name}: its Environment makes Node use a proxy, also for ${target.host}`;
      facts.push({ id: "service-proxy-captures", detail, source: manager });
    }
    if (running.length > 1) {
      const names = running.map(({ name, manager }) => `${name} (${manager})`).join(", ");
      facts.push({ id: "services-several", detail: `running at once: ${names}`, source: "service manager" });
    }
    return facts;
  },
};

function factsOf(service: ServiceFacts): Fact[] {
  const { name, manager, state, isRunning, lastExitCode } = service;
  const source = manager;
  const facts: Fact[] = [];
  const add = (id: string, detail: string) => facts.push({ id, detail, source });
  if (service.isStartLimitHit) add("service-start-limit", `${name}: ${state}`);
  // that it does not run is as its operator wants it
  if (!isRunning && service.switchedOff !== undefined) {
    add("service-switched-off", `${name}: ${service.switchedOff}`);
    return facts;
  }
  add(isRunning ? "service-running" : "service-not-running", `${name}: ${state}`);
  if (service.isNotLoaded) add("service-not-loaded", `${name}: ${state}`);
  if (isRunning) return facts;
  if (service.endsWithSession)
    add("service-without-linger", `${name} ends when its user logs out (Linger=no)`);
  if (service.ignoresCleanExit && lastExitCode === 0) {
    add("service-ignored-clean-exit", `${name} exited with 0, and its policy restarts failures only`);
  }
  if (lastExitCode === 78) add("service-refused", `${name} ended with 78: a start that was refused`);
  for (const policy of service.endedBy ?? []) add("service-policy-ends-it", `${name}: ${policy}`);
  return facts;
}
