import type { ServiceFacts } from "../../host/types.ts";
import type { Machine } from "../machine.ts";
import { lingerPlan } from "../remedies/system.ts";
import type { Advice } from "./types.ts";

export function serviceAdvice(services: readonly ServiceFacts[] | undefined): Advice {
  const ours = services?.find(({ name }) => name.includes("clawkit"));
  const base = {
    id: "service",
    title: "It comes back when the machine restarts",
    reason:
      "the supervisor brings back the gateway; only a service manager, or Docker, brings back the supervisor",
  };
  const isOff = ours?.switchedOff !== undefined;
  if (ours !== undefined && !isOff)
    return { ...base, current: `${ours.manager}: ${ours.state}`, state: "ok" };
  const none = services === undefined ? "no service manager answers here" : "no service of ClawKit";
  const current = isOff ? `${ours.name} is ${ours.switchedOff}` : none;
  const command =
    services === undefined
      ? "clawkit gateway run   # as the command of a container with restart: unless-stopped, or of your own supervisor"
      : "clawkit gateway install";
  return { ...base, current, state: "yours", command };
}

/** Only of services of a user: those of the machine outlive every login. */
export function lingerAdvice(services: readonly ServiceFacts[] | undefined, machine: Machine): Advice[] {
  const ofUser = services?.filter(({ endsWithSession, switchedOff }) => {
    return endsWithSession !== undefined && switchedOff === undefined;
  });
  const [first] = ofUser ?? [];
  if (first === undefined) return [];
  const ends = ofUser!.find(({ endsWithSession }) => endsWithSession);
  const base = {
    id: "linger",
    title: "Services of this user outlive the login",
    reason: "without linger systemd ends them when the last session is over (knowledge §2.2, `no-linger`)",
  };
  if (ends === undefined) return [{ ...base, current: `${first.name} lingers`, state: "ok" }];
  return [
    { ...base, current: `${ends.name} ends with the session`, state: "change", plan: lingerPlan(machine) },
  ];
}
