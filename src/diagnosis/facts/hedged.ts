/** Words that may stand between a denial and what it denies: "I did **not see any** OOM". */
const FILLERS =
  "because of|due to|caused by|related to|an?|any|the|actual|real|really|just|about|single|see|seeing|find|found|finding|show|showing|shown|contain|containing|say|said|mention|hit|hitting|get|getting|got|had|have|having|been|seen|such|signs? of|traces? of|evidence of|hints? of|errors?|lines?|entry|entries|messages?|like|of|is|it's|its|be|kernel|V8|node|systemd|gateway|other|more|recent";

const DENIED_BEFORE = new RegExp(
  `(?:\\b(?:no|not|never|without|neither|nor|zero|nothing about|nothing like|nothing in (?:the|my|its) logs? like|rule out|ruled out|excluded|free of)|\\w+n['’]t|cannot)\\s+(?:(?:${FILLERS})\\s+){0,6}["'\`“‘(\\[*]*$`,
  "i",
);

/** "no OOM, ENOSPC **or** EADDRINUSE": the denial holds for all of the list. */
const DENIED_LIST =
  /\b(?:no|nothing|neither|without|not|nor|rule out)\b[^.;:!?\n]{0,80}(?:,|\bor\b|\bnor\b)\s*["'`“‘(]*$/i;

const DENIED_AFTER = new RegExp(
  "^[\"'`”’)\\]*]*\\s*(?:" +
    '[=:]\\s*"?(?:false|no|none|0|never)\\b(?!\\s+such|[.\\d])' +
    "|\\?\\s*no\\b" +
    "|(?:(?:errors?|lines?|messages?|entry|entries|event|anywhere|at all|killer|kill)\\s+){0,2}(?:(?:is|was|are|were|has|have|had|does|did|can|could|do)\\s+)?(?:(?:not|never|n['’]t)\\s+(?:the|an?|present|there|seen|in|it|found|shown|logged|mentioned|appear|happen|occur|relevant|related|involved|been|be|full|show|exist)|ruled out|excluded|unlikely|absent|nowhere)" +
    "|(?:is|was|are|were|does|did|has|have)n['’]t\\b" +
    ")",
  "i",
);

/** Whether a line says of something in it that it is not so. */
export function isDenied(before: string, after: string): boolean {
  return DENIED_BEFORE.test(before) || DENIED_LIST.test(before) || DENIED_AFTER.test(after);
}

const GUESSING =
  /\b(?:maybe|perhaps|might|may be|may have|could (?:it|this|that|there|also)?\s*(?:be|have)|possibly|probably|presumably|(?:I|we|they)(?:'m| am| are)? (?:only |just )?(?:think|suspect|guess|wonder|assume|believe|wondering|guessing)|not sure|no idea|unclear|my (?:guess|theory|hypothesis|suspicion)|is (?:it|this|that|there)|are (?:there|these)|was (?:it|this|there)|does (?:it|this)|do (?:I|we|you)|can (?:it|this)|should (?:I|we)|what if|whether|suspect(?:ed|ing)?|in case|for example|e\.g\. if|how (?:do|can|to)|would|docs? say(?:s)?|documentation says)\b/i;

/** Whether the sentence that something stands in is a question, or says that it is only a guess. */
export function isGuessed(before: string, after: string): boolean {
  const start = Math.max(...[". ", "! ", "? ", "; "].map((end) => before.lastIndexOf(end) + 1), 0);
  const rest = /^.*?(?:[.!?;](?=\s|$)|$)/.exec(after)![0];
  if (rest.endsWith("?")) return true;
  return GUESSING.test(before.slice(start)) || /\b(?:maybe|perhaps|I (?:think|guess)|not sure)\b/i.test(rest);
}
