// Being built.

import type { HealthLine } from '../api.ts'
import type { Route } from '../route.ts'
export function NotificationsPage(_props: { route: Route; health: readonly HealthLine[] }) {
  return null
}
