// How the system says that it cannot: anything else that is thrown is our own bug and is never taken for a failing disk.

/** The errno code of a failure of the system ('ENOSPC', 'EIO', …); null for anything else, which is our own bug. */
export function errnoOf(thrown: unknown): string | null {
  if (!(thrown instanceof Error)) return null
  const { code, syscall } = thrown as NodeJS.ErrnoException
  return typeof code === 'string' && typeof syscall === 'string' ? code : null
}

/** A disk without room, whichever way it says so. */
export function isFull(thrown: unknown): boolean {
  const code = errnoOf(thrown)
  return code === 'ENOSPC' || code === 'EDQUOT'
}
