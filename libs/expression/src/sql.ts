/**
 * SQL under construction: text with typed parameters in it, joined without ever pasting a value into the text.
 * `renderSql` numbers the parameters at the very end, equal ones once.
 */
export interface Sql {
  readonly chunks: readonly (string | Parameter | Sql)[];
}

/** Where a parameter's value comes from when a compiled statement is run. */
export type ParameterSource =
  /** A constant of the plan itself, such as a literal in a policy. */
  | { readonly kind: 'constant'; readonly value: unknown }
  /** The n-th literal lifted out of one of the request's expressions; `slot` names the expression. */
  | { readonly kind: 'literal'; readonly slot: string; readonly index: number }
  /** A value of the actor: `['kind']`, `['id']`, `['roles']`, `['claims', 'company']`. */
  | { readonly kind: 'auth'; readonly path: readonly string[] }
  /** Anything else of the request, by name: `limit`, `key.0`, `body`. */
  | { readonly kind: 'input'; readonly name: string };

export interface Parameter {
  readonly source: ParameterSource;
  /** The PostgreSQL type that it is cast to in the statement: `text`, `int8`, `public."Mood"`. */
  readonly castSql: string;
  /** How the source's value becomes the parameter's text; a name known to the binder of the engine that made it. */
  readonly encoding?: string;
  /** What the encoding needs to know, as plain data (an enum's labels, say). */
  readonly encodingData?: unknown;
}

export interface RenderedSql {
  readonly text: string;
  /** In the order of `$1`, `$2`, ... */
  readonly parameters: readonly Parameter[];
}

const isParameter = (chunk: Parameter | Sql): chunk is Parameter => 'source' in chunk;

/** Tagged template: strings are SQL text, interpolations are `Sql` or `Parameter`, never bare values. */
export function sql(strings: TemplateStringsArray, ...values: readonly (Sql | Parameter)[]): Sql {
  const chunks: (string | Parameter | Sql)[] = [];
  strings.forEach((text, index) => {
    if (text !== '') chunks.push(text);
    const value = values[index];
    if (value !== undefined) chunks.push(value);
  });
  return { chunks };
}

/** SQL text that is known to be safe: keywords, aliases made by a compiler, types spelled by the catalog. */
export const rawSql = (text: string): Sql => ({ chunks: [text] });

/** A quoted identifier. PostgreSQL identifiers cannot hold NUL; a quote is doubled. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A quoted, possibly qualified name: `identifier('public', 'posts')` is `"public"."posts"`. */
export const identifier = (...names: readonly string[]): Sql => rawSql(names.map(quoteIdentifier).join('.'));

/** A string as an SQL literal, for names and fixed texts that the plan itself owns, never for a request's values. */
export function textLiteral(value: string): Sql {
  const escaped = value.replaceAll("'", "''");
  return rawSql(value.includes('\\') ? `E'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`);
}

export function joinSql(parts: readonly Sql[], separator: string): Sql {
  return { chunks: parts.flatMap((part, index) => (index === 0 ? [part] : [separator, part])) };
}

function parameterKey(parameter: Parameter): string {
  return JSON.stringify(
    [parameter.source, parameter.castSql, parameter.encoding, parameter.encodingData],
    (_key, value: unknown) => (typeof value === 'bigint' ? { bigint: value.toString() } : value),
  );
}

/** Renders to text with `$n::type` parameters. */
export function renderSql(root: Sql): RenderedSql {
  const parameters: Parameter[] = [];
  const numbers = new Map<string, number>();
  const text: string[] = [];
  const visit = (node: Sql): void => {
    for (const chunk of node.chunks) {
      if (typeof chunk === 'string') text.push(chunk);
      else if (isParameter(chunk)) {
        const key = parameterKey(chunk);
        let number = numbers.get(key);
        if (number === undefined) {
          parameters.push(chunk);
          number = parameters.length;
          numbers.set(key, number);
        }
        text.push(`$${number}::${chunk.castSql}`);
      } else visit(chunk);
    }
  };
  visit(root);
  return { text: text.join(''), parameters };
}
