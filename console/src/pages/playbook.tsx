import { useState } from "preact/hooks";
import type { Playbook } from "../../../src/control/contract.ts";
import { useResource } from "../api/use-resource.ts";
import { Failure } from "../parts/failure.tsx";
import { Feedback } from "../parts/feedback.tsx";
import { PlaybookSectionView } from "../parts/playbook-section.tsx";
import { SHELLS, type Shell, shellOf } from "../parts/shells.ts";
import { Link } from "../router.tsx";
import { useSession } from "../session.ts";

export function PlaybookPage({ code }: { readonly code: string }) {
  const { platform } = useSession();
  const { data, error, reload } = useResource<Playbook>(`/playbooks/${code}`);
  const [shell, setShell] = useState<Shell>(() => shellOf(navigator.userAgent));
  return (
    <>
      <p class="crumbs">
        <Link to="/playbooks">Playbooks</Link> › {code}
      </p>
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {data === undefined ? (
        error === undefined && <div class="skeleton" />
      ) : (
        <article class="playbook">
          <fieldset class="spans platform">
            <legend>Commands for</legend>
            {SHELLS.map(([value, name]) => (
              <label key={value}>
                <input type="radio" name="shell" checked={shell === value} onChange={() => setShell(value)} />
                <span>{name}</span>
              </label>
            ))}
          </fieldset>
          {data.sections.map((section) =>
            section.heading === FEEDBACK ? (
              <Feedback key={section.heading} code={code} />
            ) : (
              <PlaybookSectionView
                key={section.heading}
                section={section}
                code={code}
                shell={shell}
                platform={platform}
                onRun={reload}
              />
            ),
          )}
        </article>
      )}
    </>
  );
}

/** The page's last question is a form here. */
const FEEDBACK = "Did this guide solve your problem?";
