// The notation of values: `50`, `60x3` (60 and three more), `60+2x5` (60, 62, … 70), `!` faulty, `_` nothing sent.

const MOST = 1_000_000

/** The values an item stands for: a number, null for a faulty one, undefined for none sent; or what is wrong with it. */
export function parseSeries(text: string): (number | null | undefined)[] | string {
  const parts = /^(_|!|true|false|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?:([+-](?:\d+\.?\d*|\.\d+)))?(?:x(\d+))?$/i.exec(text)
  if (parts === null) return `${text} is no value: write 50, 60x3, 60+2x5, ! for a faulty value or _ for none`
  const [, first, step, times] = parts as unknown as [string, string, string | undefined, string | undefined]
  const more = Number(times ?? 0)
  if (more > MOST) return `${text} stands for more than ${MOST} values`
  if (step !== undefined && (first === '_' || first === '!' || times === undefined))
    return `${text} is no value: a step needs a number and a count: 60+2x5`
  const values: (number | null | undefined)[] = []
  for (let i = 0; i <= more; i++) values.push(valueFrom(first, Number(step ?? 0) * i))
  return values
}

function valueFrom(first: string, added: number): number | null | undefined {
  if (first === '_') return undefined
  if (first === '!') return null
  if (first === 'true') return 1
  if (first === 'false') return 0
  // 0.1 + 0.2 is meant to be 0.3.
  return Number((Number(first) + added).toPrecision(12))
}
