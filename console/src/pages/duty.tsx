// Who is on duty now and next and when nobody is, who is responsible for each hazard source, the ladders, and who would be told.

import { type DutyNow, getDuty, getDutyPlan, type RotaNow } from '../api-operations.ts'
import { useResource } from '../console.tsx'
import { useOperations } from '../operations.ts'
import { Instant } from '../parts/age.tsx'
import { DutyPreview } from '../parts/duty-preview.tsx'
import { Ladders } from '../parts/ladders.tsx'
import { Cell, Columns, PageHead, Reading, Tabs, tabOf } from '../parts/page-frame.tsx'
import type { Route } from '../route.ts'
import { useSay } from '../words.ts'

const REFRESH_MS = 30_000

export function DutyPage({ route }: { route: Route }) {
  const { duty } = useOperations()
  const tabs = (['now', 'responsible', 'ladders', 'preview'] as const).map((name) => ({ name, label: duty.tabs[name] }))
  const tab = tabOf(route, tabs)
  return (
    <div className="paper">
      <PageHead title={duty.title}>
        <Tabs route={route} page="duty" tabs={tabs} />
      </PageHead>
      {tab === 'now' && <Rotas />}
      {tab === 'responsible' && <Responsible />}
      {tab === 'ladders' && <Ladders />}
      {tab === 'preview' && <DutyPreview route={route} />}
    </div>
  )
}

function Rotas() {
  const { duty } = useOperations()
  const now = useResource<DutyNow>('duty', getDuty, REFRESH_MS)
  const { columns } = duty
  return (
    <>
      <Reading of={now} what={duty.what} />
      {now.value?.configured === false && (
        <p className="notice" role="alert">
          {duty.unconfigured}
        </p>
      )}
      {now.value?.configured === true && now.value.rotas.length === 0 && <p className="nothing">{duty.none}</p>}
      {now.value !== null && now.value.rotas.length > 0 && (
        <table className="paper-table">
          <Columns names={[columns.rota, columns.now, columns.next, columns.holes]} />
          <tbody>
            {now.value.rotas.map((rota) => (
              <RotaRow key={rota.rota} rota={rota} />
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

const HOLES_SHOWN = 3

function RotaRow({ rota }: { rota: RotaNow }) {
  const { duty } = useOperations()
  const say = useSay()
  const { columns } = duty
  const names = (people: RotaNow['people']): string => people.map(({ id, name }) => say(name, id)).join('、')
  return (
    <tr data-rota={rota.rota}>
      <Cell of={columns.rota}>
        <strong>{say(rota.name, rota.rota)}</strong>
        <span className="faint">
          <span className="tag">{rota.rota}</span> {rota.zone}
        </span>
      </Cell>
      <Cell of={columns.now}>
        <span className="outcome" data-odd={rota.people.length === 0}>
          {rota.people.length === 0 ? duty.nobody : <strong>{names(rota.people)}</strong>}
        </span>
        {rota.until !== null && (
          <span className="faint">
            → <Instant at={Date.parse(rota.until)} />
          </span>
        )}
      </Cell>
      <Cell of={columns.next}>
        {rota.until === null && rota.people.length > 0 ? (
          <span className="faint">{duty.noHandover}</span>
        ) : rota.next.length === 0 ? (
          <span className="outcome" data-odd="true">
            {duty.nextNobody}
          </span>
        ) : (
          names(rota.next)
        )}
      </Cell>
      <Cell of={columns.holes}>
        <span className="outcome" data-odd={rota.holes.length > 0}>
          {rota.holes.length === 0 ? duty.noHoles : duty.holes(rota.holes.length)}
        </span>
        {rota.holes.slice(0, HOLES_SHOWN).map(({ from, to }) => (
          <span key={from} className="faint">
            <Instant at={Date.parse(from)} /> → <Instant at={Date.parse(to)} />
          </span>
        ))}
        {rota.holes.length > HOLES_SHOWN && <span className="faint">{duty.moreHoles(rota.holes.length - HOLES_SHOWN)}</span>}
      </Cell>
    </tr>
  )
}

function Responsible() {
  const { duty } = useOperations()
  const say = useSay()
  const plan = useResource('duty plan', getDutyPlan)
  const sources = plan.value?.responsible ?? []
  return (
    <>
      <Reading of={plan} what={duty.plan} />
      {plan.value !== null && sources.length === 0 && <p className="nothing">{duty.noSources}</p>}
      {sources.length > 0 && (
        <table className="paper-table">
          <Columns names={[duty.source, duty.role.operation, duty.role.technical, duty.role.main]} />
          <tbody>
            {sources.map((source) => (
              <tr key={source.hazardSource}>
                <Cell of={duty.source}>
                  <strong>{say(source.name, source.hazardSource)}</strong>
                  <span className="faint">{say(source.siteName)}</span>
                </Cell>
                {source.roles.map(({ role, person, name }) => (
                  <Cell key={role} of={duty.role[role]}>
                    <span className="outcome" data-odd={person === null}>
                      {person === null ? duty.unnamed : say(name, person)}
                    </span>
                  </Cell>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}
