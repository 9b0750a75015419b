import type { Look } from "../machine.ts";
import type { Fact } from "../types.ts";

/** Programs that a gateway is: Node renames its main thread, OpenClaw its process. */
const GATEWAY_PROGRAM =
  /\((node|MainThread|openclaw[\w-]*|clawdbot[\w-]*|moltbot[\w-]*)\)|\b(node|MainThread|openclaw\S*)\[\d+\]/;

/** What the kernel wrote about memory and crashes of what may have been the gateway. */
export const kernel: Look = {
  id: "kernel",
  what: "the kernel's log",
  async look(machine) {
    const { openclawLocks } = machine;
    const pids = (await openclawLocks()).map(({ pid }) => pid);
    const lines = await machine.kernelLines();
    if (lines === undefined) throw new Error("this user, or this system, may not look");
    const about = lines.filter((line) => GATEWAY_PROGRAM.test(line));
    const oom = about.findLast((line) => /Killed process|oom/i.test(line));
    const crash = about.findLast((line) => /segfault|general protection|invalid opcode|traps:/i.test(line));
    const facts: Fact[] = [];
    const killed = about.findLast((line) => /Killed process/i.test(line) && pids.includes(pidOf(line)));
    if (killed !== undefined) {
      facts.push({ id: "kernel-killed-gateway", detail: killed, source: "kernel log" });
    }
    // a gateway whose pid is known was not it; one of the time before locks and run logs may have been
    const isPidKnown = pids.length > 0 || (await machine.hasOwnState());
    // where no OpenClaw is, a Node that was killed is some other program
    const isOfGateway = oom !== undefined && (/claw|molt/.test(oom) || (await machine.isOpenClaw()));
    if (isOfGateway && !isPidKnown)
      facts.push({ id: "kernel-killed-node", detail: oom, source: "kernel log" });
    if (crash !== undefined) facts.push({ id: "kernel-saw-crash", detail: crash, source: "kernel log" });
    if (about.length === 0) {
      const detail = "the kernel's log of the last hour names no gateway";
      facts.push({ id: "kernel-silent", detail, source: "kernel log" });
    }
    return facts;
  },
};

function pidOf(line: string): number {
  return Number(/Killed process (\d+)/i.exec(line)?.[1]);
}
