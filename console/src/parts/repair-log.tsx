import { useState } from "preact/hooks";
import type { RepairLog as Log } from "../../../src/control/contract.ts";
import { post } from "../api/client.ts";
import type { Resource } from "../api/use-resource.ts";
import { Badge } from "./badge.tsx";
import { Failure } from "./failure.tsx";
import { Time } from "./time.tsx";

const STATES: Readonly<Record<Log["repairs"][number]["state"], string>> = {
  begun: "interrupted",
  done: "applied",
  failed: "failed",
  undone: "taken back",
};

interface RepairLogProps {
  readonly log: Resource<Log>;
  readonly onUndone: () => void;
}

/** What was changed here so far, by this console or in a terminal; what can be is taken back. */
export function RepairLog({ log, onUndone }: RepairLogProps) {
  const [error, setError] = useState<Error>();
  const [busyId, setBusyId] = useState<string>();
  const undo = async (id: string) => {
    setError(undefined);
    setBusyId(id);
    try {
      await post("/doctor/undo", { id });
      onUndone();
    } catch (thrown) {
      setError(thrown as Error);
    } finally {
      setBusyId(undefined);
    }
    log.reload();
  };
  if (log.data === undefined)
    return log.error === undefined ? null : <Failure error={log.error} onRetry={log.reload} />;
  if (log.data.repairs.length === 0) return null;
  return (
    <section class="card" aria-labelledby="made">
      <h2 id="made">Changes made here</h2>
      {error !== undefined && <Failure error={error} />}
      <ul class="plain">
        {log.data.repairs.map(({ id, what, at, state, helped, canUndo, undoneBy }) => (
          <li key={id} class="made">
            <span>
              <Badge word={state === "done" ? "applied" : state} text={STATES[state]} /> {what}{" "}
              <span class="fine">
                <Time at={at} />
                {helped === null || state === "undone"
                  ? ""
                  : helped
                    ? ", it helped"
                    : ", it did not help by itself"}
                {undoneBy === null ? "" : `, taken back by ${undoneBy}`}
              </span>
            </span>
            {canUndo && (
              <button
                type="button"
                class="small"
                aria-label={`Undo: ${what}`}
                disabled={busyId !== undefined}
                onClick={() => void undo(id)}
              >
                {busyId === id ? "Undoing …" : "Undo"}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
