import { useState } from "preact/hooks";
import type { PlaybookSection, RunStepRequest, StepResult } from "../../../src/control/contract.ts";
import { post } from "../api/client.ts";
import { CopyButton } from "./copy-button.tsx";
import { Dialog } from "./dialog.tsx";
import { Failure } from "./failure.tsx";
import { Progress } from "./progress.tsx";
import { type Shell, shellsOf } from "./shells.ts";

type Line = PlaybookSection["lines"][number];

interface StepBlockProps {
  readonly lines: readonly Line[];
  readonly code: string;
  readonly shell: Shell;
  readonly platform: string;
  readonly onRun: () => void;
}

/** Commands of a playbook for one shell; those that can be answered on this host have a button and their result. */
export function StepBlock({ lines, code, shell, platform, onRun }: StepBlockProps) {
  const shown = withoutDoubleBlanks(lines.filter(({ shells }) => shells?.includes(shell) ?? true));
  if (shown.length === 0) return null;
  const isHost = shellsOf(platform).includes(shell);
  const title = shown[0]?.title ?? "Commands";
  return (
    <figure class="command">
      <figcaption>
        <span>{title}</span>
        <CopyButton text={shown.map(({ text }) => text).join("\n")} />
      </figcaption>
      <div class="steps">
        {shown.map((line, index) => (
          <Step
            key={line.step ?? index}
            line={line}
            code={code}
            canRun={isHost && line.canRun === true}
            onRun={onRun}
          />
        ))}
      </div>
    </figure>
  );
}

interface StepProps {
  readonly line: Line;
  readonly code: string;
  readonly canRun: boolean;
  readonly onRun: () => void;
}

function Step({ line, code, canRun, onRun }: StepProps) {
  const [state, setState] = useState<{ isBusy?: boolean; result?: StepResult; error?: Error }>({});
  const { text, step } = line;
  const run = async (confirm?: true) => {
    setState({ isBusy: true });
    try {
      const request = { step: step!, ...(confirm && { confirm }) } satisfies RunStepRequest;
      setState({ result: await post<StepResult>(`/playbooks/${code}/run`, request) });
      onRun();
    } catch (thrown) {
      setState({ error: thrown as Error });
    }
  };
  const { isBusy = false, result, error } = state;
  return (
    <div class="step">
      <div class="step-line">
        <code class={text.startsWith("#") ? "comment" : undefined}>{text === "" ? " " : text}</code>
        {canRun && (
          <button
            type="button"
            class="small"
            aria-label={`Run ${text}`}
            disabled={isBusy}
            onClick={() => void run()}
          >
            Run
          </button>
        )}
      </div>
      {isBusy && <Progress text={line.needsConfirm === true ? "At it …" : "Looking …"} />}
      {error !== undefined && <Failure error={error} />}
      {result !== undefined && result.needsConfirm !== true && (
        <div class="step-result" role="status">
          <p>
            <b>{result.means}</b>
          </p>
          <ul>
            {result.found.map((found, index) => (
              <li key={index}>{found}</li>
            ))}
          </ul>
        </div>
      )}
      {result?.needsConfirm === true && (
        <Dialog
          title="Run this on the host?"
          yes="Run it"
          isDangerous
          onYes={() => void run(true)}
          onNo={() => setState({})}
        >
          <p>
            <code>{text}</code>: {result.found.join(", ")}.
          </p>
        </Dialog>
      )}
    </div>
  );
}

/** What is left of a block for all shells has holes where the others' lines were. */
function withoutDoubleBlanks(lines: readonly Line[]): readonly Line[] {
  const kept = lines.filter(({ text }, index) => text !== "" || lines[index - 1]?.text !== "");
  const first = kept[0]?.text === "" ? 1 : 0;
  return kept.slice(first, kept.at(-1)?.text === "" ? -1 : undefined);
}
