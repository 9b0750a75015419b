import { until } from "../helpers/clawkit.ts";
import { ClawkitLab } from "./clawkit-lab.ts";
import { DockerLab } from "./docker-lab.ts";
import type { DoctorCall, Fault } from "./fault.ts";
import type { DoctorReport, Lab } from "./lab.ts";
import { OpenclawLab } from "./openclaw-lab.ts";

/** `--fix` waits until what it started is ready; what is not healthy this long after it will not be. */
const RECOVERY_MS = 20_000;

/** All that are not over: whoever is interrupted ends them. */
const labs = new Set<Lab>();

/** What became of one fault. */
export interface Outcome {
  readonly id: string;
  readonly on: Fault["on"];
  readonly expected: readonly string[];
  readonly verdict: string;
  readonly first: DoctorReport["causes"][number] | undefined;
  readonly isRight: boolean;
  /** Causes that the doctor is sure of and that are not there. */
  readonly wronglyConfirmed: readonly string[];
  readonly doctorMs: number;
  /** Absent if it need not be repaired. */
  readonly repair?: Repair;
  readonly report: DoctorReport;
}

export interface Repair {
  /** From the call of `doctor --fix` until the doctor says healthy; undefined if it never did. */
  readonly recoveredMs?: number;
  /** What it said when it did not become healthy, or was not so any more. */
  readonly report?: DoctorReport;
}

/** A machine on which a fault was provoked, diagnosed, and repaired if it can be. */
export interface Trial extends AsyncDisposable {
  readonly outcome: Outcome;
  /** Looks again: whether it is still healthy. */
  readonly examine: () => Promise<DoctorReport>;
}

/** Breaks a gateway, asks the doctor, and has it repaired unless `fix` is false. The caller ends the trial. */
export async function tryFault(fault: Fault, options: { fix: boolean }): Promise<Trial> {
  const [lab, breaking] = await begin(fault);
  try {
    const call = (await breaking()) ?? {};
    const { ms, report } = await lab.doctor(call);
    const outcome = judge(fault, report, ms);
    const repair = options.fix && fault.isFixable ? { repair: await repaired(lab, call) } : {};
    return {
      outcome: { ...outcome, ...repair },
      examine: async () => (await lab.doctor(call)).report,
      [Symbol.asyncDispose]: () => end(lab),
    };
  } catch (error) {
    await end(lab);
    throw error;
  }
}

/** Ends the trials that are under way. */
export async function endTrials(): Promise<void> {
  await Promise.allSettled([...labs].map(end));
}

async function end(lab: Lab): Promise<void> {
  labs.delete(lab);
  await lab[Symbol.asyncDispose]();
}

async function begin(fault: Fault): Promise<[Lab, () => Promise<DoctorCall | undefined>]> {
  if (fault.on === "clawkit") {
    const lab = await ClawkitLab.create();
    labs.add(lab);
    return [lab, () => fault.break(lab)];
  }
  if (fault.on === "docker") {
    const lab = await DockerLab.create();
    labs.add(lab);
    return [lab, () => fault.break(lab)];
  }
  const lab = await OpenclawLab.create();
  labs.add(lab);
  return [lab, () => fault.break(lab)];
}

function judge({ id, on, expected }: Fault, report: DoctorReport, doctorMs: number): Outcome {
  const { verdict, causes } = report;
  // beside a healthy verdict stand the causes of earlier outages
  const held = verdict === "healthy" ? [] : causes.filter((cause) => cause.verdict !== "ruled out");
  const isRight = verdict === "healthy" ? expected.includes("healthy") : expected.includes(held[0]?.id ?? "");
  const wronglyConfirmed = held
    .filter((cause) => cause.verdict === "confirmed" && !expected.includes(cause.id))
    .map((cause) => cause.id);
  return { id, on, expected, verdict, first: held[0], isRight, wronglyConfirmed, doctorMs, report };
}

async function repaired(lab: Lab, call: DoctorCall): Promise<Repair> {
  const startedAt = performance.now();
  let { report } = await lab.doctor(call, "--fix", "--yes");
  try {
    await until(async () => {
      ({ report } = await lab.doctor(call));
      return report.ok || undefined;
    }, RECOVERY_MS);
    return { recoveredMs: performance.now() - startedAt };
  } catch {
    return { report };
  }
}
