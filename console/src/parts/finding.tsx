import type { DoctorReport } from "../../../src/control/contract.ts";
import { absolute } from "../format.ts";
import { Badge } from "./badge.tsx";
import { CommandBlock } from "./command-block.tsx";

export type Finding = DoctorReport["causes"][number];

/** A cause with what it rests on, and what helps. */
export function FindingCard({ finding }: { readonly finding: Finding }) {
  const { id, title, verdict, evidence, remedies } = finding;
  return (
    <section class="card finding" aria-labelledby={`finding-${id}`}>
      <h2 id={`finding-${id}`}>
        {title} <Badge word={verdict} />
      </h2>
      <details open={verdict === "confirmed"}>
        <summary>Evidence ({evidence.length})</summary>
        <ul>
          {evidence.map(({ id: fact, detail, source, at }) => (
            <li key={`${fact} ${source} ${detail}`}>
              {detail}{" "}
              <span class="fine">
                ({source}
                {at === undefined ? "" : `, ${absolute(Date.parse(at))}`})
              </span>
            </li>
          ))}
        </ul>
      </details>
      {remedies.length > 0 && (
        <>
          <h3>What helps</h3>
          <ul class="remedies">
            {remedies.map(({ text, commands, risk }) => (
              <li key={text}>
                <p>
                  {text} <Badge word={risk} />
                </p>
                {commands !== undefined && commands.length > 0 && <CommandBlock lines={commands} />}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
