import { Notice } from "./notice.tsx";

/** What could not be done, in the server's own words. */
export function Failure({ error, onRetry }: { readonly error: Error; readonly onRetry?: () => void }) {
  return (
    <Notice kind="bad" isLive>
      {error.message}{" "}
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </Notice>
  );
}
