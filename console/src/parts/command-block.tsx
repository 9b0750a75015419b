import { CopyButton } from "./copy-button.tsx";

interface CommandBlockProps {
  readonly lines: readonly string[];
  readonly title?: string;
}

/** Lines to be typed, with a button that copies them. */
export function CommandBlock({ lines, title }: CommandBlockProps) {
  return (
    <figure class="command">
      <figcaption>
        <span>{title ?? "Terminal"}</span>
        <CopyButton text={lines.join("\n")} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line scrolls, with the keyboard too */}
      <pre tabIndex={0}>
        <code>{lines.join("\n")}</code>
      </pre>
    </figure>
  );
}
