import { totalmem } from "node:os";
import { constrainedMemory } from "node:process";
import type { Machine } from "../machine.ts";

/** More than this share of its memory, and the kernel ends it before V8 does. */
const MAX_SHARE = 0.6;

const MB = 2 ** 20;

/** Memory that the gateway has, by the machine and by its cgroup (ours, while none runs), and the most of it that is for V8. */
export async function heapBounds({ host, status }: Machine): Promise<{ memoryMb: number; mostMb: number }> {
  const { gateway } = await status();
  const group = gateway.pid === null ? undefined : await host.cgroupOf(gateway.pid);
  const limit = group === undefined ? undefined : (await host.cgroupMemory(group))?.limitBytes;
  const bytes = Math.min(totalmem(), limit ?? (constrainedMemory() || totalmem()));
  return { memoryMb: Math.round(bytes / MB), mostMb: Math.floor((bytes / MB) * MAX_SHARE) };
}
