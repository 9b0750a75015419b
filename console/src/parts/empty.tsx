import type { ComponentChildren } from "preact";

/** There is nothing, and that is an answer. */
export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
