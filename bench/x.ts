import { longestStall } from "./gateway/broadcasts.ts";
console.log(await longestStall(1000, new AbortController().signal));
