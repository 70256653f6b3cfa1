// Being built.

import type { Route } from '../route.ts'
export function PeoplePage(_props: { route: Route }) {
  return null
}
