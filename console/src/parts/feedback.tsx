import { useState } from "preact/hooks";
import type { FeedbackRequest, FeedbackTaken } from "../../../src/control/contract.ts";
import { post } from "../api/client.ts";
import { words } from "../format.ts";
import { Failure } from "./failure.tsx";
import { Notice } from "./notice.tsx";

const ANSWERS = [
  ["yes", "Yes"],
  ["partly", "Partly"],
  ["no", "No"],
] as const;

/** The page's last question; the answer changes what the doctor thinks of first on this installation. */
export function Feedback({ code }: { readonly code: string }) {
  const [note, setNote] = useState("");
  const [state, setState] = useState<{ isBusy?: boolean; taken?: FeedbackTaken; error?: Error }>({});
  const say = async (solved: FeedbackRequest["solved"]) => {
    setState({ isBusy: true });
    try {
      const answer: FeedbackRequest = { playbook: code, solved, ...(note.trim() === "" ? {} : { note }) };
      setState({ taken: await post<FeedbackTaken>("/feedback", answer) });
    } catch (thrown) {
      setState({ error: thrown as Error });
    }
  };
  return (
    <section class="card feedback" aria-labelledby="feedback">
      <h2 id="feedback">Did this guide solve your problem?</h2>
      {state.taken !== undefined ? (
        <Notice kind="good" isLive>
          Thank you.{" "}
          {state.taken.cause === null
            ? "It is kept, and stays on this machine. It counts for no cause yet, as the doctor has found none that this page is about."
            : `It counts for “${words(state.taken.cause)}” the next time something is wrong here, and stays on this machine.`}
        </Notice>
      ) : (
        <>
          <label for="feedback-note">What was it, or what is missing? (if you like)</label>
          <textarea
            id="feedback-note"
            rows={2}
            value={note}
            maxLength={500}
            onInput={({ currentTarget }) => setNote(currentTarget.value)}
          />
          <div class="row">
            {ANSWERS.map(([value, text]) => (
              <button key={value} type="button" disabled={state.isBusy} onClick={() => void say(value)}>
                {text}
              </button>
            ))}
          </div>
        </>
      )}
      {state.error !== undefined && <Failure error={state.error} />}
    </section>
  );
}
