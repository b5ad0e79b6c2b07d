import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Tests run the engines' sources, never a build that may be older than they are. */
const sourceOf = (name: string): string =>
  fileURLToPath(new URL(`libs/${name}/src/index.ts`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: {
      '@plinth/embedded-postgres': sourceOf('embedded-postgres'),
      '@plinth/expression': sourceOf('expression'),
      '@plinth/query': sourceOf('query'),
      '@plinth/schema': sourceOf('schema'),
    },
  },
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    include: ['src/**/*.spec.ts', 'libs/*/src/**/*.spec.ts', 'libs/*/test/**/*.spec.ts', 'test/**/*.spec.ts'],
    globalSetup: ['test/kit/global-setup.ts'],
    setupFiles: ['test/kit/after-each-file.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A busy machine takes its time; what is waited for is a condition, not a moment.
    expect: { poll: { timeout: 10_000 } },
    pool: 'forks',
    // Test files share nothing that one of them changes; loading all modules anew for each takes longer than many a test.
    isolate: false,
    // Tests wait for servers and the database more than they compute: one worker a core, also where there are few.
    maxWorkers: Math.max(2, availableParallelism()),
  },
});
