import type { Tick } from "../api/live.ts";
import { count } from "../format.ts";

const STATES = {
  healthy: ["good", "Healthy"],
  starting: ["warn", "Starting"],
  unhealthy: ["bad", "Not well"],
  stopping: ["warn", "Stopping"],
  stopped: ["bad", "Not running"],
  foreign: ["bad", "Port taken"],
} as const satisfies Record<Tick["state"], readonly [string, string]>;

/** The gateway's state, on every page; its words change only when the state does. */
export function StatePill({
  tick,
  isConnected,
}: {
  readonly tick: Tick | undefined;
  readonly isConnected: boolean;
}) {
  const [tone, text] = !isConnected
    ? (["bad", "No answer"] as const)
    : tick === undefined
      ? (["none", "Asking …"] as const)
      : STATES[tick.state];
  return (
    <div class="state">
      <span class={`pill pill-${tone}`} role="status">
        {text}
      </span>
      <span class="state-count">{tick === undefined || !isConnected ? "" : counts(tick)}</span>
    </div>
  );
}

function counts({ connections, held }: Tick): string {
  return count(connections, "connection") + (held === 0 ? "" : `, ${held.toLocaleString()} held`);
}
