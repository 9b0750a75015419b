import { useState } from "preact/hooks";

const SHOWN_MS = 2_000;

export function CopyButton({ text, label = "Copy" }: { readonly text: string; readonly label?: string }) {
  const [said, setSaid] = useState<string>();
  const copy = async () => {
    const isCopied = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false, // a page over plain HTTP from elsewhere may not
    );
    setSaid(isCopied ? "Copied" : "Select and copy it by hand");
    setTimeout(() => setSaid(undefined), SHOWN_MS);
  };
  return (
    <button type="button" class="quiet small copy" onClick={() => void copy()}>
      <span role="status">{said ?? label}</span>
    </button>
  );
}
