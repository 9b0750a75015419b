import { useState } from "preact/hooks";
import type { Explained } from "../../../src/control/contract.ts";
import { post } from "../api/client.ts";
import { bytes, words } from "../format.ts";
import { Badge } from "../parts/badge.tsx";
import { Failure } from "../parts/failure.tsx";
import { FindingCard } from "../parts/finding.tsx";
import { Progress } from "../parts/progress.tsx";

const MAX_BYTES = 10 * 1024 * 1024;

const MAX_SHOWN_BYTES = 200_000;

const EXAMPLE = "gateway closed (1006 abnormal closure (no close frame))";

export function ExplainPage() {
  const [text, setText] = useState("");
  const [answer, setAnswer] = useState<{ explained: Explained; name: string | undefined }>();
  const [error, setError] = useState<Error>();
  const [isBusy, setIsBusy] = useState(false);
  const [isOver, setIsOver] = useState(false);

  const explain = async (given: Blob, name?: string) => {
    setIsBusy(true);
    setError(undefined);
    try {
      if (given.size > MAX_BYTES) {
        throw new Error(
          `The file has ${bytes(given.size)}; at most ${bytes(MAX_BYTES)} can be read: give its last part`,
        );
      }
      // a large log is explained without being shown
      if (name !== undefined) setText(given.size <= MAX_SHOWN_BYTES ? await given.text() : "");
      setAnswer({ explained: await post<Explained>("/explain", given), name });
    } catch (thrown) {
      setError(thrown as Error);
    } finally {
      setIsBusy(false);
    }
  };
  const take = (file: File | undefined) => {
    if (file !== undefined && !isBusy) void explain(file, file.name);
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
          if (event.dataTransfer?.types.includes("Files") !== true) return; // text goes where text goes
          event.preventDefault();
          setIsOver(true);
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={(event) => {
          setIsOver(false);
          const file = event.dataTransfer?.files[0];
          if (file === undefined) return;
          event.preventDefault();
          take(file);
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
                take(file);
              }}
            />
          </label>
          {isBusy && <Progress text="Reading …" />}
        </div>
      </form>
      {error !== undefined && <Failure error={error} />}
      {/* there before there is anything in it: only then is it read aloud */}
      <div aria-live="polite">{answer !== undefined && <Verdict {...answer} />}</div>
      {answer !== undefined && <Grounds explained={answer.explained} />}
    </>
  );
}

interface VerdictProps {
  readonly explained: Explained;
  /** Of the file that was read. */
  readonly name: string | undefined;
}

function Verdict({ explained: { verdict, causes }, name }: VerdictProps) {
  const first = causes.find((finding) => finding.verdict !== "ruled out");
  return (
    <section class={`verdict verdict-${first === undefined ? "none" : "bad"}`} aria-label="Answer">
      <p>
        <Badge word={verdict} /> {name !== undefined && <span class="fine">{name}</span>}
      </p>
      <p class="verdict-text">
        {first === undefined ? "This text alone does not say why." : `${first.title}.`}
      </p>
      {first === undefined && (
        <p>
          A 1006 is only what the client saw. The lines before it decide: paste more of the log, or run the
          Doctor on the machine of the gateway.
        </p>
      )}
    </section>
  );
}

/** What the answer rests on. */
function Grounds({ explained: { causes, lines } }: { readonly explained: Explained }) {
  return (
    <>
      {lines.length > 0 && (
        <section class="card" aria-labelledby="decided">
          <h2 id="decided">The lines that decided</h2>
          <ol class="decided">
            {lines.map(({ number, text, causes: ids }) => (
              <li key={number} value={number}>
                <mark>{text}</mark> <span class="fine">{ids.map(words).join(", ")}</span>
              </li>
            ))}
          </ol>
        </section>
      )}
      {causes
        .filter((finding) => finding.verdict !== "ruled out")
        .map((finding) => (
          <FindingCard key={finding.id} finding={finding} />
        ))}
    </>
  );
}
