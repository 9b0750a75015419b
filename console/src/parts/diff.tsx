/** Lines that change, as a patch has them. */
export function Diff({ lines }: { readonly lines: readonly string[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, with the keyboard too
    <pre class="diff" tabIndex={0}>
      {lines.map((line, index) => (
        <span key={index} class={kindOf(line)}>
          {`${line}\n`}
        </span>
      ))}
    </pre>
  );
}

function kindOf(line: string): string | undefined {
  if (line.startsWith("+")) return "diff-new";
  if (line.startsWith("-")) return "diff-old";
  return undefined;
}
