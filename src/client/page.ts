/** What of a browser's page is used; Node has none of it. */
interface Page extends Partial<EventTarget> {
  readonly document?: EventTarget & { readonly visibilityState: string };
}

/** Calls `onBack` when the network or the page is back. Returns what ends that. */
export function watchPage(onBack: () => void): () => void {
  const page = globalThis as unknown as Page;
  const { document } = page;
  const onVisible = () => document?.visibilityState === "visible" && onBack();
  page.addEventListener?.("online", onBack);
  document?.addEventListener("visibilitychange", onVisible);
  return () => {
    page.removeEventListener?.("online", onBack);
    document?.removeEventListener("visibilitychange", onVisible);
  };
}
