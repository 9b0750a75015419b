import { useState } from "preact/hooks";
import { post } from "../api/client.ts";
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
  const [state, setState] = useState<{ isSaid?: boolean; error?: Error }>({});
  const say = async (solved: string) => {
    try {
      await post("/feedback", { playbook: code, solved, ...(note.trim() === "" ? {} : { note }) });
      setState({ isSaid: true });
    } catch (thrown) {
      setState({ error: thrown as Error });
    }
  };
  return (
    <section class="card feedback" aria-labelledby="feedback">
      <h2 id="feedback">Did this guide solve your problem?</h2>
      {state.isSaid === true ? (
        <Notice kind="good" isLive>
          Thank you. The doctor weighs it the next time something is wrong here; it stays on this machine.
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
              <button key={value} type="button" onClick={() => void say(value)}>
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
