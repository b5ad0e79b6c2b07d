const words = (text: string): readonly string[] => text.split(' ');

/**
 * Names that try to be more than names: SQL, JSON, URLs, patterns, format strings, whatever they may be pasted into.
 * PostgreSQL takes each of them for a table, a column or a label.
 */
export const HOSTILE_NAMES: readonly string[] = [
  ...words(
    'select SELECT from user order null true t0 p r v k0 data count sent before new excluded batch aggregate',
  ),
  ...words('record old auth now in limit filter'),
  '"; DROP TABLE victims; --',
  "'; DROP TABLE victims; --",
  'x" FROM victims; DELETE FROM victims --',
  "x', (SELECT secret FROM victims LIMIT 1)) --",
  "') OR canary() IS NULL --",
  '"||canary()||"',
  "'||canary()||'",
  '$$; SELECT canary(); $$',
  // Quotes, comments and escapes that may end what they stand in.
  ...words(`-- ; " "" ' '' "'" \\ \\' \\" x\\ E'\\047 U&"d\\0061" /*x x*/`),
  // Parameters, patterns, templates, paths, operators.
  ...words('$1 $1::text ? % %s %I 100% _ {} {id} ${canary()} %00 %2e%2e &quot;'),
  ...words('a.b public.victims . .. a,b a(b) ) * -minus - = & # / a/b @ ~ a:b a->>b ["a"] {"a":1} 0 NaN'),
  ' ',
  ' lead',
  'trail ',
  'a as b',
  'tab\there',
  'line\nbreak',
  'return\r\n',
  '<script>canary()</script>',
  '\u00a0',
  '\u200b',
  '\u202e',
  '\ufeff',
  '\u2028',
  'größe',
  'e\u0301',
  'é',
  '日本語',
  '🙂',
  'ſelect',
  'İ',
  // As long as a name can be.
  'n'.repeat(63),
  `${'é'.repeat(31)}x`,
  `${'🙂'.repeat(15)}xyz`,
  '"'.repeat(63),
  'n'.repeat(60),
];
