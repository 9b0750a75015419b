import type { ConnectionDetail } from "../../../src/control/contract.ts";

interface StoryProps extends Pick<ConnectionDetail, "told"> {
  /** Paragraphs that the page shows elsewhere. */
  readonly without?: readonly string[];
}

/** What `clawkit why` tells, in its own paragraphs. */
export function Story({ told, without = [] }: StoryProps) {
  const parts = told.parts.filter(({ heading }) => !without.includes(heading));
  return (
    <section class="card story" aria-labelledby="story">
      <h2 id="story">The story</h2>
      {parts.map(({ heading, lines }) => (
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
