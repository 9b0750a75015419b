import { useEffect, useState } from "preact/hooks";

const SHOWN_MS = 2_000;

export function CopyButton({ text }: { readonly text: string }) {
  const [said, setSaid] = useState<string>();
  useEffect(() => {
    if (said === undefined) return;
    const timer = setTimeout(() => setSaid(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      setSaid("Select and copy it by hand"); // a page over plain HTTP from elsewhere has no clipboard
    }
  };
  return (
    <>
      <button type="button" class="quiet small copy" onClick={() => void copy()}>
        {said ?? "Copy"}
      </button>
      {/* beside it: a button has no name from what is live in it */}
      <span class="for-readers" role="status">
        {said}
      </span>
    </>
  );
}
