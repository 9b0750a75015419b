import type { ComponentChildren } from "preact";

interface NoticeProps {
  readonly kind: "info" | "good" | "warn" | "bad";
  /** Read aloud when it appears. */
  readonly isLive?: boolean;
  readonly children: ComponentChildren;
}

export function Notice({ kind, isLive = false, children }: NoticeProps) {
  return (
    <div class={`notice notice-${kind}`} role={isLive ? (kind === "bad" ? "alert" : "status") : undefined}>
      {children}
    </div>
  );
}
