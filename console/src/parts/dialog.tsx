import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface DialogProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** The button that does it, in words. */
  readonly yes: string;
  readonly isDangerous?: boolean;
  readonly canSay?: boolean;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

/** Asks before something happens; Escape is no. */
export function Dialog({
  title,
  children,
  yes,
  isDangerous = false,
  canSay = true,
  onYes,
  onNo,
}: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="dialog-title" onClose={onNo}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          onYes();
        }}
      >
        <h2 id="dialog-title">{title}</h2>
        {children}
        <div class="row row-end">
          <button type="button" onClick={onNo}>
            Cancel
          </button>
          <button type="submit" class={isDangerous ? "danger" : "primary"} disabled={!canSay}>
            {yes}
          </button>
        </div>
      </form>
    </dialog>
  );
}
