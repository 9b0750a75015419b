import { Fragment } from "preact";
import type { PlaybookSection } from "../../../src/control/contract.ts";
import { Link } from "../router.tsx";
import { RichText } from "./rich-text.tsx";
import type { Shell } from "./shells.ts";
import { StepBlock } from "./step-block.tsx";

type Line = PlaybookSection["lines"][number];

interface SectionProps {
  readonly section: PlaybookSection;
  /** Whether the section that this one is a part of says the same of what the doctor found. */
  readonly isToldAbove: boolean;
  readonly code: string;
  readonly shell: Shell;
  readonly platform: string;
  /** A step was run: what is relevant may be another section now. */
  readonly onRun: () => void;
}

export function PlaybookSectionView({ section, isToldAbove, code, shell, platform, onRun }: SectionProps) {
  const { level, heading, relevance } = section;
  const Heading = level === 1 ? "h1" : level === 2 ? "h2" : "h3";
  const isOut = relevance.kind === "ruled out";
  return (
    <section class={`playbook-section level-${level} ${isOut ? "is-out" : ""} ${STANDS_OUT[heading] ?? ""}`}>
      <Heading>{heading}</Heading>
      {relevance.kind === "holds" && !isToldAbove && (
        <p class="relevance relevance-holds">The doctor found this here: {relevance.why}</p>
      )}
      {isOut && !isToldAbove && <p class="relevance">Ruled out: {relevance.why}</p>}
      {blocksOf(section.lines).map((block, index) => {
        if (block.kind === "code") {
          return (
            <StepBlock
              key={index}
              lines={block.lines}
              code={code}
              shell={shell}
              platform={platform}
              onRun={onRun}
            />
          );
        }
        if (block.kind === "list") {
          return (
            <ul key={index}>
              {block.lines.map(({ text }) => (
                <li key={text}>
                  <RichText text={text.slice(2)} />
                </li>
              ))}
            </ul>
          );
        }
        const text = block.lines.map((line) => line.text).join(" ");
        if (block.kind === "evidence") {
          return (
            <aside key={index} class="evidence" aria-label="What the evidence says">
              <RichText text={text} />
            </aside>
          );
        }
        return (
          <Fragment key={index}>
            <p>
              <RichText text={text} />
            </p>
            {text.endsWith(TOOL_FOLLOWS) && <OpenDoctor />}
          </Fragment>
        );
      })}
      {heading === "Next Step" && (
        <p class="row">
          <Link to="/doctor" class="button primary">
            Open Doctor
          </Link>
          <Link to="/hardening" class="button">
            Open Hardening
          </Link>
        </p>
      )}
      {heading.startsWith("Still Getting") &&
        !section.lines.some(({ text }) => text.endsWith(TOOL_FOLLOWS)) && <OpenDoctor />}
    </section>
  );
}

function OpenDoctor() {
  return (
    <p>
      <Link to="/doctor" class="button primary">
        Open Doctor
      </Link>
    </p>
  );
}

/** What the page says before its link to the tool. */
const TOOL_FOLLOWS = "use the Doctor tool to diagnose automatically:";

const STANDS_OUT: Readonly<Record<string, string>> = { "Next Step": "card next-step" };

interface Block {
  readonly kind: "code" | "list" | "evidence" | "text";
  readonly lines: Line[];
}

/** Lines that belong together: a block of code, a list, a paragraph. An empty line of text ends one. */
function blocksOf(lines: readonly Line[]): Block[] {
  const blocks: Block[] = [];
  let isOpen = false;
  for (const line of lines) {
    if (line.kind === "text" && line.text === "") {
      isOpen = false;
      continue;
    }
    const kind = line.kind === "text" && line.text.startsWith("- ") ? "list" : line.kind;
    const last = blocks.at(-1);
    if (isOpen && last?.kind === kind) last.lines.push(line);
    else blocks.push({ kind, lines: [line] });
    isOpen = true;
  }
  return blocks;
}
