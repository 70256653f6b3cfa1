import { defineConfig } from 'vitest/config'

/** Tests against real servers and a real browser from Debian; each says what to install where it is missing. */
export default defineConfig({
  test: {
    include: ['tests/services/**/*.test.ts', 'tests/behaviour/**/*.test.ts', 'tests/console/**/*.test.ts'],
    // All servers at once; alone, and others: tests/behaviour/backEnds.ts.
    env: { TEST_BACK_ENDS: process.env.TEST_BACK_ENDS ?? 'servers' },
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000
  }
})
