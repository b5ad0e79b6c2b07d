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
      'access|auth|data|events|files|realtime|webhooks|jobs|functions|schema|insights|openapi|demo',
    ),
    lower(
      'access-below-data',
      'access|auth',
      'data|events|files|realtime|webhooks|jobs|functions|schema|insights|openapi|demo',
    ),
    lower(
      'data-below-readers',
      'data|events|files',
      'realtime|webhooks|jobs|functions|schema|insights|openapi|demo',
    ),
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
