/** Has something run while the page can be seen: a tab in the background asks for nothing. Returns what ends it. */
export function whileVisible(start: () => () => void): () => void {
  let stop: (() => void) | undefined;
  const documentOnVisibilitychange = () => {
    if (document.visibilityState === "visible") stop ??= start();
    else {
      stop?.();
      stop = undefined;
    }
  };
  document.addEventListener("visibilitychange", documentOnVisibilitychange);
  documentOnVisibilitychange();
  return () => {
    document.removeEventListener("visibilitychange", documentOnVisibilitychange);
    stop?.();
  };
}
