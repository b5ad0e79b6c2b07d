/** Import rules of the house: see ARCHITECTURE.md. */
const lower = (name, from, forbidden) => ({
  name,
  severity: 'error',
  from: { path: `^src/(${from})/` },
  to: { path: `^src/(${forbidden})/` },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'libs-are-plain',
      comment: 'An engine knows nothing of Nest, TypeORM or the monolith.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^src/|node_modules/(@nestjs|typeorm)/' },
    },
    {
      name: 'common-imports-no-domain',
      severity: 'error',
      from: { path: '^src/common/' },
      to: { path: '^src/(?!common/)' },
    },
    {
      name: 'domains-through-their-index',
      comment: 'A domain is seen through its index.ts only.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/(?!common/)([^/]+)/(?!index\\.ts$)', pathNot: '^src/$1/' },
    },
    lower(
      'catalog-is-lowest',
      'catalog',
      'access|jobs|mail|auth|data|events|files|realtime|webhooks|functions|schema|insights|openapi|demo',
    ),
    lower('access-below-jobs', 'access', 'jobs|mail|auth'),
    lower('jobs-below-mail', 'jobs', 'mail|auth'),
    lower('mail-below-auth', 'mail', 'auth'),
    lower(
      'auth-below-data',
      'access|jobs|mail|auth',
      'data|events|files|realtime|webhooks|functions|schema|insights|openapi|demo',
    ),
    lower(
      'data-below-readers',
      'data|events|files',
      'realtime|webhooks|functions|schema|insights|openapi|demo',
    ),
    {
      name: 'primary-loads-no-application',
      comment: 'The process that keeps workers is small; only a worker loads what it serves with.',
      severity: 'error',
      from: { path: '^src/workers/(?!worker\\.ts$)' },
      to: { path: '^src/(app\\.module|plinth\\.module|server)\\.ts$|node_modules/(@nestjs|typeorm)/' },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
    },
  },
};
