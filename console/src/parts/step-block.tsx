import { useState } from "preact/hooks";
import type { PlaybookSection, StepResult } from "../../../src/control/contract.ts";
import { post } from "../api/client.ts";
import { CopyButton } from "./copy-button.tsx";
import { Dialog } from "./dialog.tsx";
import { Failure } from "./failure.tsx";
import { Progress } from "./progress.tsx";
import type { Shell } from "./shells.ts";

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
  const isHost = isOf(shell, platform);
  const title = shown[0]?.title ?? "Commands";
  return (
    <figure class="command">
      <figcaption>
        <span>{title}</span>
        <CopyButton text={shown.map(({ text }) => text).join("\n")} />
      </figcaption>
      <div class="steps">
        {shown.map((line, index) => (
          <Step key={index} line={line} code={code} canRun={isHost && line.canRun === true} onRun={onRun} />
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
  const [isAsking, setIsAsking] = useState(false);
  const { text, step, needsConfirm = false } = line;
  const run = async () => {
    setIsAsking(false);
    setState({ isBusy: true });
    try {
      const result = await post<StepResult>(`/playbooks/${code}/run`, {
        step: step!,
        ...(needsConfirm ? { confirm: true } : {}),
      });
      setState({ result });
      onRun();
    } catch (thrown) {
      setState({ error: thrown as Error });
    }
  };
  return (
    <div class="step">
      <div class="step-line">
        <code class={text.startsWith("#") ? "comment" : undefined}>{text === "" ? " " : text}</code>
        {canRun && (
          <button
            type="button"
            class="small"
            aria-label={`Run ${text}`}
            disabled={state.isBusy}
            onClick={() => (needsConfirm ? setIsAsking(true) : void run())}
          >
            Run
          </button>
        )}
      </div>
      {state.isBusy === true && <Progress text="Looking …" />}
      {state.error !== undefined && <Failure error={state.error} />}
      {state.result !== undefined && (
        <div class="step-result" role="status">
          <p>
            <b>{state.result.means}</b>
          </p>
          <ul>
            {state.result.found.map((found) => (
              <li key={found}>{found}</li>
            ))}
          </ul>
        </div>
      )}
      {isAsking && (
        <Dialog
          title="Run this on the host?"
          yes="Run it"
          isDangerous
          onYes={() => void run()}
          onNo={() => setIsAsking(false)}
        >
          <p>
            <code>{text}</code> changes what runs: clients are told why, and come back by themselves.
          </p>
        </Dialog>
      )}
    </div>
  );
}

function isOf(shell: Shell, platform: string): boolean {
  if (platform === "win32") return shell === "cmd" || shell === "powershell";
  return shell === (platform === "darwin" ? "macos" : "linux");
}

/** What is left of a block for all shells has holes where the others' lines were. */
function withoutDoubleBlanks(lines: readonly Line[]): readonly Line[] {
  const kept = lines.filter(({ text }, index) => text !== "" || lines[index - 1]?.text !== "");
  const first = kept[0]?.text === "" ? 1 : 0;
  return kept.slice(first, kept.at(-1)?.text === "" ? -1 : undefined);
}
