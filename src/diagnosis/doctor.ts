import { allCauses } from "./causes/index.ts";
import { answer } from "./facts/answer.ts";
import { clientSettings } from "./facts/client-settings.ts";
import { clock } from "./facts/clock.ts";
import { containers } from "./facts/containers.ts";
import { entryPoints } from "./facts/entry-points.ts";
import { environment } from "./facts/environment.ts";
import { history } from "./facts/history.ts";
import { installs } from "./facts/installs.ts";
import { kernel } from "./facts/kernel.ts";
import { limits } from "./facts/limits.ts";
import { network } from "./facts/network.ts";
import { openclawConfig } from "./facts/openclaw-config.ts";
import { openclawLocks } from "./facts/openclaw-locks.ts";
import { openclawLogs } from "./facts/openclaw-logs.ts";
import { ours, ownConfig } from "./facts/ours.ts";
import { ownLogs } from "./facts/own-logs.ts";
import { port } from "./facts/port.ts";
import { processes } from "./facts/processes.ts";
import { resources } from "./facts/resources.ts";
import { SAID_OF_CLIENTS } from "./facts/said-of-clients.ts";
import { serviceLog } from "./facts/service-log.ts";
import { services } from "./facts/services.ts";
import { infer } from "./infer.ts";
import { type Look, lookAt, type Machine } from "./machine.ts";
import { placed } from "./place.ts";
import { withExactLines } from "./remedies/by-hand.ts";
import type { Cause, Diagnosis, Fact, Finding, NotLooked } from "./types.ts";

export const allLooks: readonly Look[] = [
  port,
  answer,
  processes,
  ours,
  ownConfig,
  history,
  services,
  serviceLog,
  containers,
  kernel,
  clock,
  resources,
  limits,
  network,
  environment,
  clientSettings,
  installs,
  entryPoints,
  openclawConfig,
  openclawLocks,
  openclawLogs,
  ownLogs,
];

export interface Examination {
  readonly diagnosis: Diagnosis;
  readonly facts: readonly Fact[];
  readonly notLooked: readonly NotLooked[];
  /** What was looked at, if that was not everything. */
  readonly only?: string;
}

/** Told with every end: that the kernel says nothing is a part of what is known, too. */
const AROUND_AN_END = ["exit-evidence", "exit-line", "last-line", "kernel-silent"];

/** What somebody who asks now means by "just now". */
const JUST_NOW_MS = 5 * 60_000;

/** Each of these speaks against a gateway that answers. */
const NOT_SERVED = [
  "not-ready",
  "starting-up",
  "not-healthy",
  "ours-unhealthy",
  "ours-starting",
  "process-stopped",
];

const OF_OTHERS = ["port-foreign", "port-owner-hidden", "gateways-several", "services-several"];

/**
 * Looks at this machine and says what is wrong with its gateway. Changes nothing. `seenHere`: how often a cause was
 * right on this machine.
 */
export async function examine(
  machine: Machine,
  looks: readonly Look[] = allLooks,
  seenHere: ReadonlyMap<string, number> = new Map(),
): Promise<Examination> {
  const { facts, notLooked } = await lookAt(machine, looks);
  const has = (id: string) => facts.some((fact) => fact.id === id);
  // a web server that says ok is no gateway: whoever is not known for one has to greet like one
  const isKnown = !has("port-foreign") && !has("port-owner-hidden");
  const answers =
    (has("healthz-ok") && isKnown) || has("upgrade-accepted") || (has("ours-healthy") && has("http-answers"));
  const isServed = answers && !NOT_SERVED.some(has);
  // a gateway that answers may be another user's: that is no conflict, unless ours wants to be there
  const isOursThere =
    facts.some(({ id }) => id.startsWith("ours-")) &&
    (await machine.configuredPort()) === machine.target.port;
  const isTrouble = (fact: Fact) =>
    isOfNow(fact, machine.clock.wall()) && (isOursThere || !OF_OTHERS.includes(fact.id));
  const considered = isServed ? facts.filter(isTrouble) : facts;
  const causes = allCauses.map((cause) => placed(withRecords(cause), machine.target, facts));
  const told = withLastWords(infer(considered, causes, seenHere), facts);
  if (!isServed || told.verdict !== "inconclusive") {
    return { diagnosis: await withExactLines(told, facts, machine), facts, notLooked };
  }
  const diagnosis: Diagnosis = { verdict: "healthy", causes: pastCauses(facts) };
  return { diagnosis, facts, notLooked };
}

/** What a log says of yesterday is no trouble of a gateway that serves. */
function isOfNow({ id, at }: Fact, now: number): boolean {
  if (id.endsWith("-said") && !SAID_OF_CLIENTS.includes(id)) return false;
  return at === undefined || now - Date.parse(at) < JUST_NOW_MS;
}

/** A cause that the flight recorder has on record for an outage that lasts, or the field for this version. */
function withRecords(cause: Cause): Cause {
  const recorded = `ended-${cause.id}`;
  // that nobody saw the end is certain; why it ended is not
  const isSeen = cause.id !== "ended-without-record";
  return {
    ...cause,
    confirmedBy: [...(cause.confirmedBy ?? []), ...(isSeen ? [[recorded]] : [])],
    possibleIf: [...(cause.possibleIf ?? []), [`version-known-for-${cause.id}`]],
    likelyIf: [...(cause.likelyIf ?? []), [`${recorded}-likely`], ...(isSeen ? [] : [[recorded]])],
  };
}

/** Adds what is known around an end: its evidence, and the last lines of what it printed. */
function withLastWords(diagnosis: Diagnosis, facts: readonly Fact[]): Diagnosis {
  const around = facts.filter(({ id }) => AROUND_AN_END.includes(id));
  const isEnd = ({ evidence }: Finding) => evidence.some(({ id }) => id.startsWith("ended-"));
  return {
    ...diagnosis,
    causes: diagnosis.causes.map((cause) =>
      isEnd(cause) ? { ...cause, evidence: [...cause.evidence, ...around] } : cause,
    ),
  };
}

/** Why it was away a while ago: the gateway is well, and whoever asks may still want to know. */
function pastCauses(facts: readonly Fact[]): Finding[] {
  const past = facts.find(({ id }) => id.startsWith("ended-") && id.endsWith("-recently"));
  if (past === undefined) return [];
  const [, id, likely] = /^ended-(.+?)(-likely)?-recently$/.exec(past.id)!;
  const cause = allCauses.find((one) => one.id === id);
  const isLikely = likely !== undefined || id === "ended-without-record";
  const around = facts.filter((fact) => fact.id === "past-evidence" || fact.id === "past-line");
  return [
    {
      id: id!,
      title: cause?.title ?? id!,
      verdict: isLikely ? "likely" : "confirmed",
      evidence: [past, ...around],
      remedies: [],
    },
  ];
}
