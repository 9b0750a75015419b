/** What others chose (names, headers, reasons) as it may be shown: control characters and turns of direction go, a terminal obeys them. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, "\uFFFD");
}
