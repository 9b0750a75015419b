import type { ProcessFacts } from "../../host/types.ts";
import type { Look, Machine } from "../machine.ts";
import type { Fact } from "../types.ts";
import { familyOf, holdsLock } from "./owner.ts";

/** Between two looks at the CPU time of a process. */
const CPU_SPAN_MS = 400;

/** Of one core: a loop that blocks takes all of it, work that is done in between leaves gaps. */
const BURNING_SHARE = 0.85;

/** From this share of its limit on, the next connections fail (EMFILE). */
const FULL_SHARE = 0.97;

/** A command that calls itself a gateway; without a proof it is only worth a word. */
const NAMED = /openclaw[ -]gateway|\[openclaw-gatewa\]|clawdbot-gateway|moltbot-gateway/;

export const processes: Look = {
  id: "processes",
  what: "processes of gateways",
  async look(machine) {
    const [all, family] = await Promise.all([machine.processes(), familyOf(machine)]);
    const facts: Fact[] = defunct(all);
    const own = await ownOf(all, machine);
    const gateways = [...family, ...own.filter(({ isGateway }) => isGateway)];
    for (const one of family) {
      facts.push({ id: "family-lives", detail: describe(one), source: `process ${one.pid}` });
    }
    // with a compile cache OpenClaw starts itself anew, and its launcher stays
    const isLauncher = ({ pid }: ProcessFacts) => family.some(({ parentPid }) => parentPid === pid);
    const mine = family.filter((one) => one.user === machine.userName && !isLauncher(one));
    if (mine.length > 1 && (await machine.isOpenClaw())) {
      const detail = `${mine.length} OpenClaw gateways of one user live: pids ${mine.map(({ pid }) => pid).join(", ")}`;
      facts.push({ id: "gateways-several", detail, source: "process list" });
    }
    if (gateways.length === 0) {
      facts.push({
        id: "no-gateway-process",
        detail: "no process of a gateway lives",
        source: "process list",
      });
    }
    const watched = [...(await hereOf(family, machine)), ...own];
    const looked = await Promise.all(watched.map((one) => lookAtOne(one, machine)));
    return [...facts, ...looked.flat()];
  },
};

/** Of OpenClaw's gateways those that hold the port, or the lock of this state folder: others have troubles of their own. */
async function hereOf(family: readonly ProcessFacts[], machine: Machine): Promise<ProcessFacts[]> {
  const holders = (await machine.portOwners()).map(({ pid }) => pid);
  const isHere = await Promise.all(
    family.map(async (one) => holders.includes(one.pid) || (await holdsLock(one, machine))),
  );
  return family.filter((_, index) => isHere[index]);
}

type OwnProcess = ProcessFacts & { readonly isGateway: boolean };

/** Processes of ours that live, by pid and start time of the run log. */
async function ownOf(all: readonly ProcessFacts[], machine: Machine): Promise<OwnProcess[]> {
  const runs = await machine.ownProcesses();
  return all.flatMap((one): OwnProcess[] => {
    const run = runs.find(({ pid, startTime }) => pid === one.pid && startTime === one.startTime);
    return run === undefined || one.state === "zombie" ? [] : [{ ...one, isGateway: run.role === "gateway" }];
  });
}

function defunct(all: readonly ProcessFacts[]): Fact[] {
  return all
    .filter((one) => one.state === "zombie" && NAMED.test(one.command))
    .map((one) => {
      const parent = all.find(({ pid }) => pid === one.parentPid);
      const detail = `pid ${one.pid} is defunct: it has ended, and its parent (pid ${one.parentPid ?? "unknown"}, ${parent?.command ?? "unknown"}) has not collected it; it holds no port, and a kill does nothing`;
      return { id: "gateway-defunct", detail, source: `process ${one.pid}` };
    });
}

async function lookAtOne(one: ProcessFacts, machine: Machine): Promise<Fact[]> {
  const source = `process ${one.pid}`;
  if (one.state === "stopped") {
    return [
      { id: "process-stopped", detail: `pid ${one.pid} is stopped (SIGSTOP): it does nothing`, source },
    ];
  }
  const facts: Fact[] = [];
  const [share, usage] = await Promise.all([cpuShare(one, machine), machine.host.usage(one.pid)]);
  if (share !== undefined && share > BURNING_SHARE) {
    const detail = `pid ${one.pid} uses ${Math.round(share * 100)} % of a core`;
    facts.push({ id: "process-burning", detail, source });
  }
  if (usage?.openFiles !== undefined && usage.maxOpenFiles !== undefined) {
    const { openFiles, maxOpenFiles } = usage;
    if (openFiles >= maxOpenFiles * FULL_SHARE) {
      const detail = `pid ${one.pid} has ${openFiles} files open and may have ${maxOpenFiles}`;
      facts.push({ id: "files-used-up", detail, source });
    }
  }
  return facts;
}

async function cpuShare(one: ProcessFacts, { host, clock }: Machine): Promise<number | undefined> {
  const [first, startedAt] = [await host.process(one.pid), clock.now()];
  await new Promise((resolve) => setTimeout(resolve, CPU_SPAN_MS));
  const second = await host.process(one.pid);
  if (first === undefined || second?.startTime !== first.startTime) return undefined;
  return (second.cpuMs - first.cpuMs) / (clock.now() - startedAt);
}

function describe({ pid, command, user }: ProcessFacts): string {
  return `pid ${pid}${user === undefined ? "" : ` of ${user}`}: ${command.trim()}`;
}
