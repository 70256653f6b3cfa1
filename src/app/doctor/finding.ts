// What the doctor says of one thing.

export interface Finding {
  /** What was looked at. */
  readonly check: string
  /** - warn: it works, and may not one day. - fail: the service will not start, or not do what it promises. */
  readonly state: 'ok' | 'warn' | 'fail'
  /** One sentence: what was found. */
  readonly found: string
  /** One sentence: what to do; null where all is well. */
  readonly todo: string | null
}

export function ok(check: string, found: string): Finding {
  return { check, state: 'ok', found, todo: null }
}

export function warn(check: string, found: string, todo: string): Finding {
  return { check, state: 'warn', found, todo }
}

export function fail(check: string, found: string, todo: string): Finding {
  return { check, state: 'fail', found, todo }
}
