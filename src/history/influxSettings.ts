// Which InfluxDB, and how it is spoken to: what the configuration says of it.

/**
 * v1: `/write` and `/query` with InfluxQL, which 1.x, 2.x (with a DBRP mapping) and 3 Core serve alike.
 * v2: `/api/v2/write`, and `/api/v2/query` with Flux, of 2.x (and 1.8 with Flux switched on).
 */
export type InfluxApi = 'v1' | 'v2'

export interface InfluxSettings {
  /** May hold a path, and `user:password@` for servers of 1.x. */
  readonly url: string
  /** Database of v1; bucket of v2. */
  readonly database: string
  /** `user:password` is sent as Basic authorization, anything else as a token. */
  readonly token: string | null
  readonly api: InfluxApi
  /** Organization of v2; empty where the server needs none. */
  readonly org: string
}

/** The address without what nobody may read in a log. */
export function shownUrl(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//')
}
