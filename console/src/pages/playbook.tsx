import { useState } from "preact/hooks";
import type { Playbook } from "../../../src/control/contract.ts";
import { useResource } from "../api/use-resource.ts";
import { Failure } from "../parts/failure.tsx";
import { Feedback } from "../parts/feedback.tsx";
import { PlaybookSectionView } from "../parts/playbook-section.tsx";
import { SHELLS, type Shell, shellOf, shellsOf } from "../parts/shells.ts";
import { Link } from "../router.tsx";
import { useSession } from "../session.ts";

export function PlaybookPage({ code }: { readonly code: string }) {
  const { platform } = useSession();
  const { data, error, reload } = useResource<Playbook>(`/playbooks/${code}`);
  const [shell, setShell] = useState<Shell>(() => shellOf(navigator.userAgent));
  const here = shellsOf(platform);
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
          {!here.includes(shell) && (
            <p class="fine">
              The gateway runs on another system: what can be run from here stands under{" "}
              {SHELLS.filter(([value]) => here.includes(value))
                .map(([, name]) => name)
                .join(" and ")}
              .
            </p>
          )}
          {data.sections.map((section, index) =>
            section.heading === FEEDBACK ? (
              <Feedback key={index} code={code} />
            ) : (
              <PlaybookSectionView
                key={index}
                section={section}
                isToldAbove={isToldAbove(data.sections, index)}
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

/** A part of a section need not say again what the section says. */
function isToldAbove(sections: Playbook["sections"], index: number): boolean {
  const { level, relevance } = sections[index]!;
  const around = sections.slice(0, index).findLast((one) => one.level < level);
  return around?.relevance.kind === relevance.kind && around.relevance.why === relevance.why;
}

/** The page's last question is a form here. */
const FEEDBACK = "Did this guide solve your problem?";
