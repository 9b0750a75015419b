import type { PlaybookList } from "../../../src/control/contract.ts";
import { useResource } from "../api/use-resource.ts";
import { Failure } from "../parts/failure.tsx";
import { Link } from "../router.tsx";

export function PlaybooksPage() {
  const { data, error, reload } = useResource<PlaybookList>("/playbooks");
  // the one that most people come for stands first
  const sorted = data?.playbooks.toSorted((a, b) => Number(b.code === "1006") - Number(a.code === "1006"));
  return (
    <>
      <h1>Playbooks</h1>
      <p>
        One for each close code. Commands that only look can be run from the page, with what they show on this
        machine. In a terminal: <code>clawkit playbook</code>.
      </p>
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {sorted === undefined ? (
        error === undefined && <div class="skeleton" />
      ) : (
        <ul class="cards">
          {sorted.map(({ code, title }) => (
            <li key={code} class="card">
              <Link to={`/playbooks/${code}`}>{title}</Link>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
