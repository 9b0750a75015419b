import { API, openSession } from "./client.ts";
import { whileVisible } from "./visible.ts";

/** A gateway that restarts its console is back within a second or two. */
const RETRY_MS = 2_000;

interface StreamListeners {
  /** By the name of the event, with its data. */
  readonly on: Readonly<Record<string, (data: never) => void>>;
  /** Also each time that it is open again. */
  readonly onOpen?: () => void;
  readonly onAway: () => void;
}

/** Follows server-sent events while the page can be seen, and comes back by itself. Returns what ends it. */
export function follow(path: string, { on, onOpen, onAway }: StreamListeners): () => void {
  return whileVisible(() => {
    let source: EventSource | undefined;
    let timer: number | undefined;
    let isOver = false;
    const open = () => {
      if (isOver) return;
      source = new EventSource(API + path);
      for (const [event, listener] of Object.entries(on)) {
        source.addEventListener(event, ({ data }) => listener(JSON.parse(data as string) as never));
      }
      source.addEventListener("open", () => onOpen?.());
      source.addEventListener("error", () => {
        source?.close(); // its own retries end at the first answer that is no stream
        onAway();
        retry();
      });
    };
    const retry = () => {
      if (isOver) return;
      // a server that was started anew does not know the session: asking says so
      timer = window.setTimeout(() => void openSession().then(open, retry), RETRY_MS);
    };
    open();
    return () => {
      isOver = true;
      window.clearTimeout(timer);
      source?.close();
    };
  });
}
