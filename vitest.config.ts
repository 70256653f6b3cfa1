import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // Outages are those of servers.
    exclude: ['tests/services/**', 'tests/console/**', 'tests/behaviour/outage.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    env: { TEST_BACK_ENDS: process.env.TEST_BACK_ENDS ?? 'embedded' },
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
