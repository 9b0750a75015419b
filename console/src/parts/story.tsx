import type { ConnectionDetail } from "../../../src/control/contract.ts";

/** What `clawkit why` tells, in its own paragraphs. */
export function Story({ told }: Pick<ConnectionDetail, "told">) {
  return (
    <section class="card story" aria-labelledby="story">
      <h2 id="story">The story</h2>
      {told.parts.map(({ heading, lines }) => (
        <div key={heading}>
          <h3>{heading}</h3>
          <ul>
            {lines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}
