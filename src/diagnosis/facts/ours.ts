import { messageOf } from "../../core/errors.ts";
import type { Look } from "../machine.ts";
import type { Fact } from "../types.ts";

/** What our own supervisor says. */
export const ours: Look = {
  id: "ours",
  what: "ClawKit's own state",
  async look({ status, hasOwnState }) {
    const { state, reason, gateway, port, supervisor } = await status();
    if (supervisor.pid === null && !(await hasOwnState())) return [];
    const source = "clawkit gateway status";
    const because = reason === undefined ? "" : `: ${reason}`;
    const facts: Fact[] = [
      { id: `ours-${state}`, detail: `ClawKit is ${state} on port ${port}${because}`, source },
    ];
    if (supervisor.pid !== null && supervisor.upMs === null) {
      const detail = `its supervisor (pid ${supervisor.pid}) lives and does not answer`;
      facts.push({ id: "supervisor-silent", detail, source });
    }
    const { lastExit } = gateway;
    if (state !== "healthy" && lastExit?.lastLine !== undefined) {
      const line = `last line of generation ${lastExit.generation}`;
      facts.push({ id: "last-line", detail: lastExit.lastLine, source: line, at: lastExit.at });
    }
    return facts;
  },
};

/** Our config, checked as a start would. */
export const ownConfig: Look = {
  id: "config",
  what: "ClawKit's config",
  async look({ checkConfig, hasOwnState, paths }) {
    if (!(await hasOwnState())) return [];
    try {
      await checkConfig();
      return [];
    } catch (error) {
      return [{ id: "own-config-broken", detail: messageOf(error), source: paths.config }];
    }
  },
};
