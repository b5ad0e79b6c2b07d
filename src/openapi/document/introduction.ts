/** The words at the front of the document. */
export const INTRODUCTION = `REST access to the records of a PostgreSQL database.

What is here is what the caller of this document can do: other credentials may see other collections, fields and
operations. Send an access token or an API key as \`Authorization: Bearer ...\`, or a key in \`X-API-Key\`, here through
**Authorize**.

## Values

Values are what PostgreSQL's \`to_json\` makes of them.

| type | in JSON |
|---|---|
| \`int8\`, \`numeric\` | numbers with all their digits: parse them with a library that keeps these where they matter |
| \`float\`, \`numeric\` | \`"NaN"\`, \`"Infinity"\` and \`"-Infinity"\` as strings |
| \`timestamptz\` | RFC 3339 in UTC; \`infinity\`, years past 9999 and years BC as PostgreSQL writes them |
| \`timestamp\` | the same without an offset |
| \`interval\` | ISO 8601 durations; parts may be negative |
| \`bytea\` | base64 (inside of composites: hexadecimal) |
| arrays, composites | arrays and objects |
| ranges, geometric and network types | PostgreSQL's text |

## Errors

Every failure is a problem document (RFC 9457, \`application/problem+json\`). What a caller may not see does not exist for
it: a hidden field is answered like an unknown one.
`;
