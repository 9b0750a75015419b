import { useCallback, useEffect, useState } from "preact/hooks";
import type { DoctorReport, LastDoctor, RepairLog } from "../../../src/control/contract.ts";
import { run } from "../api/client.ts";
import { useLive } from "../api/live.ts";
import { useResource } from "../api/use-resource.ts";
import { Badge } from "../parts/badge.tsx";
import { Empty } from "../parts/empty.tsx";
import { Failure } from "../parts/failure.tsx";
import { FindingCard } from "../parts/finding.tsx";
import { Progress } from "../parts/progress.tsx";
import { RepairLog as RepairLogCard } from "../parts/repair-log.tsx";
import { Repairs } from "../parts/repairs.tsx";
import { Time } from "../parts/time.tsx";

/** A result that is older says how it was, and whoever opens this page wants to know how it is. */
const FRESH_MS = 60_000;

/** While somebody else has it look or repair. */
const OTHERS_MS = 1_000;

export function DoctorPage() {
  const { data, error: lastError, reload } = useResource<LastDoctor>("/doctor", untilDone);
  const made = useResource<RepairLog>("/doctor/repairs");
  const [progress, setProgress] = useState<string>();
  const [error, setError] = useState<Error>();
  const look = useCallback(async () => {
    setProgress("Looking at this machine …");
    setError(undefined);
    try {
      await run<DoctorReport>("/doctor", {}, setProgress);
    } catch (thrown) {
      setError(thrown as Error);
    } finally {
      setProgress(undefined);
      reload();
    }
  }, [reload]);
  const isAnswered = data !== undefined;
  useEffect(() => {
    if (!isAnswered || data.isRunning) return;
    if (data.last === null || Date.now() - data.last.at > FRESH_MS) void look();
  }, [isAnswered, look]);
  const told =
    progress ?? (data?.isRunning === true ? "Something is looked at or changed here already …" : undefined);

  return (
    <>
      <h1>Doctor</h1>
      <div class="row">
        <button type="button" class="primary" disabled={told !== undefined} onClick={() => void look()}>
          Look again
        </button>
        {told === undefined ? (
          <span class="fine">
            {data?.last == null ? (
              ""
            ) : (
              <>
                Looked <Time at={data.last.at} />, {data.last.report.checksRun} checks
              </>
            )}
          </span>
        ) : (
          <Progress text={told} />
        )}
      </div>
      {error !== undefined && <Failure error={error} />}
      {lastError !== undefined && <Failure error={lastError} onRetry={reload} />}
      {data?.last == null ? (
        error === undefined && <div class="skeleton" />
      ) : (
        <Report
          report={data.last.report}
          at={data.last.at}
          onRepaired={() => {
            reload();
            made.reload();
          }}
        />
      )}
      <RepairLogCard log={made} onUndone={() => void look()} />
    </>
  );
}

function untilDone(data: LastDoctor | undefined): number | undefined {
  return data?.isRunning === true ? OTHERS_MS : undefined;
}

interface ReportProps {
  readonly report: DoctorReport;
  readonly at: number;
  readonly onRepaired: () => void;
}

function Report({ report, at, onRepaired }: ReportProps) {
  const held = report.causes.filter(({ verdict }) => verdict !== "ruled out");
  const ruledOut = report.causes.filter(({ verdict }) => verdict === "ruled out");
  return (
    <>
      <Verdict report={report} />
      <Repairs key={at} report={report} onRepaired={onRepaired} />
      {held.map((finding) => (
        <FindingCard key={finding.id} finding={finding} />
      ))}
      <details class="card">
        <summary>
          <h2>Everything that was looked at</h2>
        </summary>
        <ul>
          {report.facts.map(({ id, detail, source }) => (
            <li key={`${id} ${detail}`}>
              {detail} <span class="fine">({source})</span>
            </li>
          ))}
        </ul>
        {report.notLooked.length > 0 && (
          <>
            <h3>What could not be looked at</h3>
            <ul>
              {report.notLooked.map(({ id, what, why }) => (
                <li key={id}>
                  {what}: {why}
                </li>
              ))}
            </ul>
          </>
        )}
        {ruledOut.length > 0 && (
          <>
            <h3>What was ruled out</h3>
            <ul>
              {ruledOut.map(({ id, title }) => (
                <li key={id}>{title}</li>
              ))}
            </ul>
          </>
        )}
      </details>
    </>
  );
}

function Verdict({ report }: { readonly report: DoctorReport }) {
  const { tick } = useLive();
  const first = report.causes.find(({ verdict }) => verdict !== "ruled out");
  const isWell = report.verdict === "healthy";
  return (
    <section class={`verdict verdict-${isWell ? "good" : "bad"}`} aria-label="Verdict" aria-live="polite">
      <p>
        <Badge word={report.verdict} />
      </p>
      <p class="verdict-text">
        {isWell
          ? first === undefined
            ? "The gateway is well."
            : `The gateway is well. Before: ${first.title}.`
          : first === undefined
            ? "Nothing explains it yet."
            : `${first.title}.`}
      </p>
      {isWell && tick !== undefined && tick.state !== "healthy" && (
        <p class="fine">Since this look the state has changed: look again.</p>
      )}
      {report.verdict === "inconclusive" && report.notLooked.length === 0 && (
        <Empty>
          Nothing that was looked at decides it. The logs around the disconnect would: paste them into
          Explain.
        </Empty>
      )}
    </section>
  );
}
