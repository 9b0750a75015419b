import { useState } from "preact/hooks";
import type { Explained } from "../../../src/control/contract.ts";
import { post } from "../api/client.ts";
import { bytes } from "../format.ts";
import { Badge } from "../parts/badge.tsx";
import { Failure } from "../parts/failure.tsx";
import { FindingCard } from "../parts/finding.tsx";
import { Progress } from "../parts/progress.tsx";

const MAX_BYTES = 10 * 1024 * 1024;

const EXAMPLE = "gateway closed (1006 abnormal closure (no close frame))";

export function ExplainPage() {
  const [text, setText] = useState("");
  const [explained, setExplained] = useState<Explained>();
  const [error, setError] = useState<Error>();
  const [isBusy, setIsBusy] = useState(false);
  const [isOver, setIsOver] = useState(false);

  const explain = async (given: Blob) => {
    setIsBusy(true);
    setError(undefined);
    try {
      if (given.size > MAX_BYTES) {
        throw new Error(
          `The file has ${bytes(given.size)}; at most ${bytes(MAX_BYTES)} can be read: give its last part`,
        );
      }
      setExplained(await post<Explained>("/explain", given));
    } catch (thrown) {
      setError(thrown as Error);
    } finally {
      setIsBusy(false);
    }
  };
  const take = async (file: File) => {
    // a large log is explained without being shown
    setText(file.size <= 200_000 ? await file.text() : "");
    await explain(file);
  };
  return (
    <>
      <h1>Explain</h1>
      <p>Paste an error with what stands around it, or drop a log file. Nothing leaves this machine.</p>
      <form
        class={isOver ? "drop drop-over" : "drop"}
        onSubmit={(event) => {
          event.preventDefault();
          void explain(new Blob([text]));
        }}
        onDragOver={(event) => {
          event.preventDefault();
          setIsOver(true);
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setIsOver(false);
          const file = event.dataTransfer?.files[0];
          if (file !== undefined) void take(file);
        }}
      >
        <label for="text">The error, or a part of the log</label>
        <textarea
          id="text"
          rows={8}
          spellcheck={false}
          placeholder={EXAMPLE}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <div class="row">
          <button type="submit" class="primary" disabled={isBusy || text.trim() === ""}>
            Explain
          </button>
          <label class="button">
            Choose a file
            <input
              type="file"
              class="for-readers"
              onChange={({ currentTarget }) => {
                const file = currentTarget.files?.[0];
                currentTarget.value = ""; // the same one again is a change, too
                if (file !== undefined) void take(file);
              }}
            />
          </label>
          {isBusy && <Progress text="Reading …" />}
        </div>
      </form>
      {error !== undefined && <Failure error={error} />}
      {explained !== undefined && <Answer explained={explained} />}
    </>
  );
}

function Answer({ explained }: { readonly explained: Explained }) {
  const { verdict, causes, lines } = explained;
  const held = causes.filter((finding) => finding.verdict !== "ruled out");
  return (
    <div aria-live="polite">
      <section class={`verdict verdict-${held.length === 0 ? "none" : "bad"}`} aria-label="Answer">
        <p>
          <Badge word={verdict} />
        </p>
        <p class="verdict-text">
          {held[0] === undefined ? "This text alone does not say why." : `${held[0].title}.`}
        </p>
        {held[0] === undefined && (
          <p>
            A 1006 is only what the client saw. The lines before it decide: paste more of the log, or run the
            Doctor on the machine of the gateway.
          </p>
        )}
      </section>
      {lines.length > 0 && (
        <section class="card" aria-labelledby="decided">
          <h2 id="decided">The lines that decided</h2>
          <ol class="decided">
            {lines.map(({ number, text, causes: ids }) => (
              <li key={number} value={number}>
                <mark>{text}</mark> <span class="fine">{ids.join(", ")}</span>
              </li>
            ))}
          </ol>
        </section>
      )}
      {held.map((finding) => (
        <FindingCard key={finding.id} finding={finding} />
      ))}
    </div>
  );
}
