// Durations are text with a unit: 500ms, 30s, 15m, 8h, 7d. A bare number is an error.

const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of a duration text (`1m30s` adds up), or null where it is not one. */
export function parseDuration(text: string): number | null {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return null
  let sum = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) sum += Number(amount) * MS[unit as keyof typeof MS]
  return Number.isSafeInteger(Math.round(sum)) ? Math.round(sum) : null
}

/** The shortest text of a duration: 90000 -> `1m30s`, 0 -> `0s`. */
export function formatDuration(ms: number): string {
  let rest = ms
  let text = ''
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / MS[unit])
    if (count > 0) text += `${count}${unit}`
    rest -= count * MS[unit]
  }
  return text === '' ? '0s' : text
}
