// What was changed of a rule, by whom, when and why; each version can be put in force again.

import { listVersions, type RuleVersion, saveWritten } from '../api-rules.ts'
import { useRuleWords } from '../rule-words.ts'
import { Instant } from './age.tsx'
import { Confirmed, Refusal, useDoing } from './doing.tsx'
import { Cell, Columns, Reading } from './page-frame.tsx'
import { Pager, usePaged } from './paged.tsx'
import { Diff } from './rule-trial.tsx'

export interface VersionsProps {
  readonly id: string
  /** Of what is in force: another reading of the list follows a change. */
  readonly version: number
  readonly etag: string | null
  readonly mayEdit: boolean
  readonly onChanged: () => void
}

export function RuleVersions({ id, version, etag, mayEdit, onChanged }: VersionsProps) {
  const { versions } = useRuleWords()
  const page = usePaged(`versions ${id} ${version}`, (cursor, signal) => listVersions(id, cursor, signal))
  const doing = useDoing()
  const revert = async ({ version: to, written }: RuleVersion): Promise<void> => {
    if (written === null) return
    if (await doing.run(() => saveWritten(id, written, etag, versions.revertNote(to)))) onChanged()
  }
  return (
    <section className="panel" aria-label={versions.title}>
      <h2>{versions.title}</h2>
      <Refusal of={doing} />
      <Reading of={page} what={versions.what} />
      {page.value !== null && page.items.length === 0 && <p className="faint">{versions.none}</p>}
      {page.items.length > 0 && (
        <table className="paper-table">
          <Columns names={[versions.title, versions.diff]} />
          <tbody>
            {page.items.map((one) => (
              <tr key={one.version} data-version={one.version}>
                <Cell of={versions.title}>
                  <strong>{versions.version(one.version)}</strong> {versions.changes[one.change] ?? one.change}
                  <span className="faint">
                    {one.by} · <Instant at={Date.parse(one.at)} />
                  </span>
                  {one.note !== null && <span>{one.note}</span>}
                  {mayEdit && one.written !== null && one.version !== version && (
                    <Confirmed
                      label={versions.revert}
                      question={versions.revertAsk(one.version)}
                      confirm={versions.revert}
                      busy={doing.busy}
                      onConfirm={() => void revert(one)}
                    />
                  )}
                </Cell>
                <Cell of={versions.diff} className="wide">
                  <Diff text={one.diff} />
                </Cell>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pager back={page.back} forth={page.forth} />
    </section>
  )
}
