import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

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
  useLayoutEffect(() => {
    const element = dialog.current!;
    element.showModal();
    return () => element.close(); // gives the focus back: one that is only removed does not
  }, []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault(); // it is closed as by the button: at once
        onNo();
      }}
      onClose={({ currentTarget }) => {
        if (currentTarget.isConnected) onNo(); // told late: another one may be open by then
      }}
    >
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
