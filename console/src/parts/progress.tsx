/** What a long look is at, as it says it; its place is kept while it says nothing. */
export function Progress({ text }: { readonly text: string }) {
  return (
    <div class="progress" role="status">
      <span class="spinner" aria-hidden="true" />
      <span>{text}</span>
    </div>
  );
}
