/** What is thought of a cause, a risk or an outcome, in a word. */
const TONES: Readonly<Record<string, "good" | "warn" | "bad" | "info">> = {
  confirmed: "bad",
  likely: "warn",
  possible: "info",
  healthy: "good",
  inconclusive: "info",
  safe: "good",
  disruptive: "warn",
  destructive: "bad",
  applied: "good",
  failed: "bad",
  declined: "info",
  planned: "info",
  ok: "good",
  change: "warn",
  yours: "info",
};

export function Badge({ word, text = word }: { readonly word: string; readonly text?: string }) {
  return <span class={`badge badge-${TONES[word] ?? "none"}`}>{text}</span>;
}
