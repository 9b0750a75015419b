import { useCallback, useEffect, useState } from "preact/hooks";
import type { DoctorReport } from "../../../src/control/contract.ts";
import { run } from "../api/client.ts";
import { Badge } from "./badge.tsx";
import { Dialog } from "./dialog.tsx";
import { Diff } from "./diff.tsx";
import { Failure } from "./failure.tsx";
import { Notice } from "./notice.tsx";
import { Progress } from "./progress.tsx";

type Repair = NonNullable<DoctorReport["repairs"]>[number];

interface RepairsProps {
  readonly report: DoctorReport;
  readonly onRepaired: () => void;
}

/** What can be repaired here, with a button each: what it does, its risk, and its undo once it is done. */
export function Repairs({ report, onRepaired }: RepairsProps) {
  const isWell = report.verdict === "healthy";
  const [planned, setPlanned] = useState<readonly Repair[]>();
  const [asked, setAsked] = useState<Repair>();
  const [progress, setProgress] = useState<string>();
  const [error, setError] = useState<Error>();
  const made = report.repairs ?? [];

  const plan = useCallback(async () => {
    setProgress("Looking at what could be repaired …");
    try {
      const { repairs } = await run<DoctorReport>("/doctor/fix", { ids: [], dryRun: true }, setProgress);
      setPlanned(repairs ?? []);
    } catch (thrown) {
      setError(thrown as Error);
    } finally {
      setProgress(undefined);
    }
  }, []);
  useEffect(() => {
    if (!isWell) void plan();
  }, [isWell, plan]);

  const fix = async ({ id, what }: Repair) => {
    setAsked(undefined);
    setError(undefined);
    setProgress(`${what} …`);
    try {
      await run<DoctorReport>("/doctor/fix", { ids: [id] }, setProgress);
      onRepaired();
    } catch (thrown) {
      setError(thrown as Error);
      setProgress(undefined);
    }
  };
  return (
    <>
      {made.map((repair) => (
        <Made key={repair.ledgerId ?? repair.id} repair={repair} />
      ))}
      {!isWell && (
        <section class="card" aria-labelledby="repairs">
          <h2 id="repairs">What can be repaired</h2>
          {progress !== undefined && <Progress text={progress} />}
          {error !== undefined && <Failure error={error} onRetry={() => void plan()} />}
          {planned?.length === 0 && progress === undefined && (
            <p>Nothing that is safe to do by a button. What helps stands below, with the lines to type.</p>
          )}
          <ul class="remedies">
            {planned?.map((repair) => (
              <li key={repair.id}>
                <p class="begins-large">
                  {repair.what} <Badge word={repair.risk} />{" "}
                  {repair.isFallback === true && <span class="fine">if the one before does not help</span>}
                </p>
                {repair.diff.length > 0 && <Diff lines={repair.diff} />}
                <button
                  type="button"
                  class="primary"
                  disabled={progress !== undefined}
                  onClick={() => setAsked(repair)}
                >
                  Fix …
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {asked !== undefined && (
        <Dialog
          title="Make this repair?"
          yes="Fix it"
          isDangerous={asked.risk !== "safe"}
          onYes={() => void fix(asked)}
          onNo={() => setAsked(undefined)}
        >
          <p class="begins-large">{asked.what}.</p>
          <p>
            <Badge word={asked.risk} /> {RISKS[asked.risk]}
          </p>
        </Dialog>
      )}
    </>
  );
}

const RISKS: Readonly<Record<Repair["risk"], string>> = {
  safe: "Nothing is lost and nobody is disturbed. Files are copied first.",
  disruptive: "Clients, or a program, are interrupted by it.",
  destructive: "It cannot be undone.",
};

/** What came of a repair; it is taken back in the list of changes. */
function Made({ repair: { what, outcome, helped, error } }: { readonly repair: Repair }) {
  return (
    <Notice kind={outcome === "applied" ? (helped === false ? "warn" : "good") : "bad"} isLive>
      <Badge word={outcome} /> {what}
      {error === undefined ? "" : `: ${error}`}
      {helped === undefined ? "" : helped ? ". It helped." : ". It did not help by itself."}
    </Notice>
  );
}
