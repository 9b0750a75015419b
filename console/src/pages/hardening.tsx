import { useState } from "preact/hooks";
import type {
  Hardening,
  HardeningAdvice,
  RepairLog as RepairLogData,
} from "../../../src/control/contract.ts";
import { run } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { Badge } from "../parts/badge.tsx";
import { CommandBlock } from "../parts/command-block.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Diff } from "../parts/diff.tsx";
import { Failure } from "../parts/failure.tsx";
import { Notice } from "../parts/notice.tsx";
import { Progress } from "../parts/progress.tsx";
import { RepairLog } from "../parts/repair-log.tsx";

export function HardeningPage() {
  const { data, error, reload } = useResource<Hardening>("/harden");
  const log = useResource<RepairLogData>("/doctor/repairs");
  const [made, setMade] = useState<readonly HardeningAdvice[]>([]);
  const isMade = (advice: HardeningAdvice) => advice.outcome !== undefined;
  return (
    <>
      <h1>Hardening</h1>
      <p>What to change before it breaks again, each with its reason and the exact lines.</p>
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {made.map((advice) => (
        <Made key={advice.undo ?? advice.id} advice={advice} />
      ))}
      {data === undefined ? (
        error === undefined && (
          <>
            <Progress text="Looking at this installation …" />
            <div class="skeleton" />
          </>
        )
      ) : (
        <Findings
          advice={data.advice}
          onApplied={(result) => {
            setMade(result.advice.filter(isMade));
            reload();
            log.reload();
          }}
        />
      )}
      <RepairLog
        log={log}
        onUndone={() => {
          setMade([]);
          reload();
        }}
      />
    </>
  );
}

interface FindingsProps {
  readonly advice: readonly HardeningAdvice[];
  readonly onApplied: (result: Hardening) => void;
}

function Findings({ advice, onApplied }: FindingsProps) {
  const open = advice.filter(({ state }) => state !== "ok");
  const done = advice.filter(({ state }) => state === "ok");
  return (
    <>
      <Score done={done.length} all={advice.length} />
      {open.map((one) => (
        <Item key={one.id} advice={one} onApplied={onApplied} />
      ))}
      <details class="card">
        <summary>
          <h2>Already so ({done.length})</h2>
        </summary>
        <ul class="remedies">
          {done.map(({ id, title, reason, current }) => (
            <li key={id}>
              <p>
                <b>{title}</b>: {current}
              </p>
              <p class="fine">{reason}</p>
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

/** Of what was looked at, how much is as it should be: every finding counts the same, and the open ones stand below. */
function Score({ done, all }: { readonly done: number; readonly all: number }) {
  return (
    <section class="card score" aria-label="Score">
      <p class="score-text">
        <b>
          {done} of {all}
        </b>{" "}
        are as they should be
        {done === all
          ? "."
          : all - done === 1
            ? "; the one that is not stands below."
            : `; the ${all - done} others stand below.`}
      </p>
      <progress max={all} value={done} aria-label={`${done} of ${all}`} />
    </section>
  );
}

interface ItemProps {
  readonly advice: HardeningAdvice;
  readonly onApplied: (result: Hardening) => void;
}

function Item({ advice, onApplied }: ItemProps) {
  const { id, title, reason, current, state, diff = [], change, risk, command, afterwards } = advice;
  const [isAsking, setIsAsking] = useState(false);
  const [progress, setProgress] = useState<string>();
  const [error, setError] = useState<Error>();
  const apply = async () => {
    setIsAsking(false);
    setError(undefined);
    setProgress("Changing it …");
    try {
      onApplied(await run<Hardening>("/harden/apply", { ids: [id] }, setProgress));
    } catch (thrown) {
      setError(thrown as Error);
    } finally {
      setProgress(undefined);
    }
  };
  return (
    <section class="card" aria-labelledby={`harden-${id}`}>
      <h2 id={`harden-${id}`}>
        {title} {risk !== undefined && <Badge word={risk} />}
      </h2>
      <p class="begins-large">{reason}</p>
      <p>
        Now: <b>{current}</b>
      </p>
      {change !== undefined && <p class="begins-large">{change}</p>}
      {diff.length > 0 && <Diff lines={diff} />}
      {afterwards !== undefined && <p class="fine">{afterwards}</p>}
      {state === "change" ? (
        <div class="row">
          <button
            type="button"
            class="primary"
            disabled={progress !== undefined}
            onClick={() => setIsAsking(true)}
          >
            Apply …
          </button>
          {progress !== undefined && <Progress text={progress} />}
        </div>
      ) : (
        <>
          <p class="fine">This one only you can decide.</p>
          {command !== undefined && <CommandBlock lines={[command]} />}
        </>
      )}
      {error !== undefined && <Failure error={error} />}
      {isAsking && (
        <Dialog
          title={`${title}?`}
          yes="Apply"
          isDangerous={risk !== "safe"}
          onYes={() => void apply()}
          onNo={() => setIsAsking(false)}
        >
          <p>{change ?? reason}</p>
          {diff.length > 0 && <Diff lines={diff} />}
          <p class="fine">The file is copied first, and can be put back byte for byte.</p>
        </Dialog>
      )}
    </section>
  );
}

/** What came of it; it is taken back in the list of changes. */
function Made({ advice }: { readonly advice: HardeningAdvice }) {
  const { title, outcome = "", error, afterwards } = advice;
  return (
    <Notice kind={outcome === "applied" ? "good" : "bad"} isLive>
      <Badge word={outcome} /> {title}
      {error === undefined ? "" : `: ${error}`}
      {afterwards !== undefined && <p class="fine">{afterwards}</p>}
    </Notice>
  );
}
