import { Link } from "../router.tsx";

/** Bold, code and links of a line of Markdown; the playbooks use nothing else within a line. */
const MARKS = /(\*\*[^*]+\*\*|`[^`]+`|\[[^\]]+\]\([^)\s]+\))/;

export function RichText({ text }: { readonly text: string }) {
  return (
    <>
      {text.split(MARKS).map((part) => {
        if (part.startsWith("**")) return <b>{part.slice(2, -2)}</b>;
        if (part.startsWith("`")) return <code>{part.slice(1, -1)}</code>;
        const link = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(part);
        return link === null ? part : <Target text={link[1]!} target={link[2]!} />;
      })}
    </>
  );
}

function Target({ text, target }: { readonly text: string; readonly target: string }) {
  const playbook = /^(\d{4})\.md$/.exec(target)?.[1];
  if (playbook !== undefined) return <Link to={`/playbooks/${playbook}`}>{text}</Link>;
  if (!target.startsWith("https://")) return <>{text}</>;
  return (
    <a href={target} target="_blank" rel="noreferrer noopener">
      {text}
    </a>
  );
}
