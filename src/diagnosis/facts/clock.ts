import type { Look, Machine } from "../machine.ts";
import type { Fact } from "../types.ts";

const MINUTE_MS = 60_000;

/** Whoever asks because of a sleep asks soon after it. */
const JUST_WOKEN_MS = 10 * MINUTE_MS;

/** A start is written down after it: with the clock as it was, never before it but by an error of seconds. */
const CLOCK_ERROR_MS = 5_000;

/** Less of a sleep breaks no connection. */
const MIN_SLEPT_MS = 10_000;

/** Whether the machine slept, or its clock was set, under a gateway. */
export const clock: Look = {
  id: "clock",
  what: "sleep, and jumps of the clock",
  async look(machine) {
    return [...(await slept(machine)), ...(await jumped(machine))];
  },
};

async function slept({ host, clock: time, kernelLines }: Machine): Promise<Fact[]> {
  const now = time.wall();
  const [facts, lines] = await Promise.all([host.sleep(), kernelLines()]);
  const found: Fact[] = [];
  const { wokeAt, sleptMs } = facts ?? {};
  const line = lines?.findLast((one) => /PM: suspend exit/.test(one));
  if (wokeAt !== undefined && now - wokeAt < JUST_WOKEN_MS) {
    const at = new Date(wokeAt).toISOString();
    found.push({
      id: "host-slept",
      detail: `the machine woke from sleep at ${at}`,
      source: "kern.waketime",
      at,
    });
  } else if (line !== undefined) {
    found.push({ id: "host-slept", detail: `${line} (in the last hour)`, source: "kernel log" });
  }
  if (sleptMs !== undefined && sleptMs > MIN_SLEPT_MS) {
    const detail = `the machine slept for ${Math.round(sleptMs / 1000)} s since it booted`;
    found.push({ id: "host-has-slept", detail, source: "boot clock and monotonic clock" });
  }
  return found;
}

/** A process that began after the time at which its start was written down: the clock was set in between. */
async function jumped({ ownProcesses, openclawLocks, processes }: Machine): Promise<Fact[]> {
  const [own, locks, all] = await Promise.all([ownProcesses(), openclawLocks(), processes()]);
  const starts = [
    ...own.map(({ pid, startTime, at }) => ({ pid, startTime, at, source: "run log" })),
    ...locks.map(({ pid, startTime, createdAt, path }) => ({ pid, startTime, at: createdAt, source: path })),
  ];
  for (const { pid, startTime, at, source } of starts) {
    const { startedAt } = all.find((one) => one.pid === pid && one.startTime === startTime) ?? {};
    const aheadMs = (startedAt ?? Number.NaN) - Date.parse(at ?? "");
    if (!(aheadMs > CLOCK_ERROR_MS)) continue;
    const detail = `the clock was set forward by ${Math.round(aheadMs / 1000)} s since pid ${pid} began`;
    return [{ id: "clock-set", detail, source }];
  }
  return [];
}
