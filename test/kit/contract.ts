import { Ajv2020, type AnySchema, type ValidateFunction } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { LRUCache } from 'lru-cache';
import type {
  Header,
  Operation,
  Parameter,
  PathItem,
  RequestBody,
  Response,
} from '../../src/openapi/document/openapi-types.js';

/** One request and its answer, as they were on the wire. */
export interface Exchange {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly requestHeaders: Headers;
  readonly requestBody?: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Contract {
  /** How an exchange differs from what the document says; empty where it does not. */
  check(exchange: Exchange): string[];
}

type Json = Readonly<Record<string, unknown>>;

const DOCUMENT = 'document';

/** Pages for people, which the document of the API does not describe. */
const UNDOCUMENTED = /^\/docs(\/|$)/;

/** Headers that tell something of the answer, so that an operation has to declare them. */
const DECLARED_HEADERS = [
  'etag',
  'location',
  'link',
  'preference-applied',
  'idempotency-replayed',
  'plinth-position',
  'retry-after',
  'www-authenticate',
  'ratelimit',
  'ratelimit-policy',
];

/**
 * Formats of what PostgreSQL writes: the document says that `infinity`, years past 9999 and BC, and negative durations
 * are outside the letter of JSON Schema's formats.
 */
const DAY = String.raw`\d{4,7}-\d\d-\d\d`;
const FORMATS = {
  ...fullFormats,
  date: new RegExp(`^(-?infinity|${DAY}( BC)?)$`),
  'date-time': new RegExp(
    String.raw`^(-?infinity|${DAY}[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d(:?\d\d)?)( BC)?)$`,
  ),
  duration: /^-?(infinity|P[-+.\dYMWDTHS]+)$/,
};

/**
 * Checks exchanges against an OpenAPI 3.1 document: that the operation is in it, that the status, the headers and the
 * body of the answer are as it says, and, where the request succeeded, that it allows the request too.
 */
export function createContract(document: Json): Contract {
  return new DocumentContract(document);
}

/** A part of a path: a text that stands for itself, or a variable, `{id}`. A collection may be called `{id}`, too. */
interface Segment {
  readonly text: string;
  readonly isVariable: boolean;
}

interface Route {
  readonly segments: readonly Segment[];
  readonly item: PathItem;
  readonly template: string;
}

class DocumentContract implements Contract {
  private readonly ajv = createValidator(false);
  /** For values that come as text, in addresses and headers. */
  private readonly textAjv = createValidator('array');
  private readonly routes: readonly Route[];
  private readonly validators = new Map<string, ValidateFunction>();

  constructor(private readonly document: Json) {
    this.ajv.addSchema({ ...document, $id: DOCUMENT });
    this.textAjv.addSchema({ ...document, $id: DOCUMENT });
    this.routes = Object.entries(document['paths'] as Record<string, PathItem>).map(([template, item]) => ({
      template,
      item,
      segments: template.split('/').map((segment) => readSegment(segment)),
    }));
  }

  check(exchange: Exchange): string[] {
    const [path = '', query = ''] = splitOnce(exchange.path, '?');
    if (UNDOCUMENTED.test(path)) return [];
    const route = this.findRoute(path);
    const method = exchange.method.toLowerCase();
    const operation = route?.item[(method === 'head' ? 'get' : method) as 'get'];
    if (!route || !operation) return this.checkRefusal(exchange);
    const response = operation.responses[String(exchange.status)];
    if (!response) return [`the status ${exchange.status} is not documented`];
    const isDone = exchange.status < 400;
    return [
      ...this.checkResponse(exchange, this.resolve(response) as Response, query),
      ...(isDone ? this.checkParameters(exchange, route, operation, path, query) : []),
      ...(isDone ? this.checkRequestBody(exchange, operation) : []),
    ];
  }

  /** What is not in the document does not exist for the caller, and the answer has to say so in the usual way. */
  private checkRefusal({ method, path, status, headers, text }: Exchange): string[] {
    if (status < 400) return [`${method} ${path} is not documented, and was answered with ${status}`];
    if (method === 'HEAD') return [];
    const type = mediaType(headers);
    if (type !== 'application/problem+json') return [`the refusal is of type ${type}, not a problem`];
    const problem = JSON.parse(text) as Json;
    const missing = ['type', 'title', 'status', 'requestId'].filter(
      (member) => problem[member] === undefined,
    );
    return missing.map((member) => `the problem has no member ${member}`);
  }

  private checkResponse(exchange: Exchange, response: Response, query: string): string[] {
    const faults = this.checkHeaders(exchange, response);
    if (exchange.method === 'HEAD') return faults;
    const { content } = response;
    if (!content)
      return exchange.text === '' ? faults : [...faults, 'the answer has a body that is not documented'];
    // What was created may not be wanted (`return=minimal`), or not be the caller's to read.
    if (exchange.text === '') return exchange.status === 201 ? faults : [...faults, 'the answer has no body'];
    const type = mediaType(exchange.headers);
    const media = content[type];
    if (!media) return [...faults, `the answer is of type ${type}, which is not documented`];
    if (!/[/+]json$/.test(type)) return faults;
    const isShaped = new URLSearchParams(query).has('fields');
    const schema = isShaped ? media.schema : withoutSelections(media.schema);
    return [...faults, ...this.validate(this.ajv, schema, JSON.parse(exchange.text), 'the answer')];
  }

  private checkHeaders({ headers, status }: Exchange, response: Response): string[] {
    const declared = new Map(
      Object.entries(response.headers ?? {}).map(([name, header]) => [name.toLowerCase(), header]),
    );
    const faults = DECLARED_HEADERS.filter((name) => headers.has(name) && !declared.has(name)).map(
      (name) => `the header ${name} is not documented for ${status}`,
    );
    for (const [name, reference] of declared) {
      const header = this.resolve(reference) as Header;
      const value = headers.get(name);
      if (value !== null)
        faults.push(...this.validate(this.textAjv, header.schema, value, `the header ${name}`));
      else if (header.required) faults.push(`the header ${name} is missing`);
    }
    return faults;
  }

  private checkParameters(
    { requestHeaders }: Exchange,
    { item, segments }: Route,
    operation: Operation,
    path: string,
    query: string,
  ): string[] {
    const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(
      (parameter) => this.resolve(parameter) as Parameter,
    );
    const given = new Map(new URLSearchParams(query));
    const faults: string[] = [];
    for (const parameter of parameters) {
      const value = readParameter(parameter, given, requestHeaders, segments, path);
      if (value !== undefined) {
        faults.push(
          ...this.validate(this.textAjv, parameter.schema, value, `the parameter ${parameter.name}`),
        );
      } else if (parameter.required)
        faults.push(`the parameter ${parameter.name} is required and was not sent`);
    }
    return [...faults, ...[...given.keys()].map((name) => `the parameter ${name} is not documented`)];
  }

  private checkRequestBody({ requestHeaders, requestBody }: Exchange, operation: Operation): string[] {
    const documented = operation.requestBody && (this.resolve(operation.requestBody) as RequestBody);
    const isSent = requestBody !== undefined && requestBody !== '';
    if (!isSent) return documented?.required ? ['a body is required and was not sent'] : [];
    if (!documented) return ['a body was sent and is not documented'];
    const type = mediaType(requestHeaders);
    const media = documented.content[type];
    if (!media) return [`a body of type ${type} was taken and is not documented`];
    return this.validate(this.ajv, media.schema, JSON.parse(requestBody), 'the body that was sent');
  }

  private findRoute(path: string): Route | undefined {
    const segments = path.split('/').map((segment) => decode(segment));
    const matching = this.routes.filter(
      (route) =>
        route.segments.length === segments.length &&
        route.segments.every(({ text, isVariable }, index) =>
          isVariable ? segments[index] !== '' : text === segments[index],
        ),
    );
    // What is written out goes before what is a variable.
    return matching.toSorted((a, b) => countVariables(a) - countVariables(b))[0];
  }

  private resolve(part: object): object {
    if (!('$ref' in part)) return part;
    const steps = String(part.$ref).slice(2).split('/');
    let found: unknown = this.document;
    for (const step of steps) found = (found as Json)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
    return found as object;
  }

  private validate(ajv: Ajv2020, schema: AnySchema, value: unknown, what: string): string[] {
    const text = `${ajv === this.ajv ? '' : 'text '}${JSON.stringify(schema)}`;
    let validator = this.validators.get(text);
    if (!validator) {
      const standalone = JSON.parse(
        JSON.stringify(schema).replaceAll('"$ref":"#/', `"$ref":"${DOCUMENT}#/`),
      ) as AnySchema;
      validator = ajv.compile(ajv === this.ajv ? standalone : { properties: { value: standalone } });
      this.validators.set(text, validator);
    }
    const isValid = validator(ajv === this.ajv ? value : { value });
    return isValid
      ? []
      : (validator.errors ?? [])
          .slice(0, 5)
          .map(
            ({ instancePath, message, params }) =>
              `${what} at ${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
          );
  }
}

/** `coerce` takes text for what it says: `"5"` for 5. */
const createValidator = (coerce: false | 'array'): Ajv2020 =>
  new Ajv2020({
    strict: false,
    // Two linters check the documents; here only what is used of them is compiled.
    validateSchema: false,
    // A field may be called `constructor`.
    ownProperties: true,
    coerceTypes: coerce,
    formats: FORMATS,
    logger: false,
  });

function readSegment(segment: string): Segment {
  const isVariable = /^\{.+\}$/.test(segment);
  return { isVariable, text: isVariable ? segment : decode(segment) };
}

const countVariables = ({ segments }: Route): number =>
  segments.filter(({ isVariable }) => isVariable).length;

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Not percent-encoded as it should be: it names nothing but itself.
    return segment;
  }
}

const splitOnce = (text: string, mark: string): string[] => {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
};

const mediaType = (headers: Headers): string =>
  (headers.get('content-type') ?? '').split(';', 1)[0]?.trim() ?? '';

/** Takes a parameter's value out of the request; what is left in `given` at the end is not documented. */
function readParameter(
  { name, in: place, style, explode, schema }: Parameter,
  given: Map<string, string>,
  headers: Headers,
  segments: readonly Segment[],
  path: string,
): unknown {
  if (place === 'header') return headers.get(name) ?? undefined;
  if (place === 'path') {
    const text =
      path.split('/')[segments.findIndex((part) => part.isVariable && part.text === `{${name}}`)] ?? '';
    return style === 'simple' ? text.split(',').map((part) => decode(part)) : decode(text);
  }
  if (explode === true && style === 'form' && schema.type === 'object') {
    const members = [...given].filter(([member]) => isMember(schema, member));
    for (const [member] of members) given.delete(member);
    return members.length === 0 ? undefined : Object.fromEntries(members);
  }
  const value = given.get(name);
  given.delete(name);
  return value;
}

const isMember = ({ properties, patternProperties }: Parameter['schema'], name: string): boolean =>
  Object.hasOwn(properties ?? {}, name) ||
  Object.keys(patternProperties ?? {}).some((pattern) => new RegExp(pattern, 'u').test(name));

/**
 * A record in an answer is the whole record or a selection of it; where the request has no `fields`, it has to be the
 * whole one.
 */
function withoutSelections(schema: AnySchema): AnySchema {
  return JSON.parse(JSON.stringify(schema), (_key, value: unknown) => {
    if (!Array.isArray(value)) return value;
    const references = value.map((option: unknown) =>
      typeof option === 'object' && option !== null && '$ref' in option ? String(option.$ref) : '',
    );
    return value.filter((_option, index) => {
      const whole = references[index]?.replace(/-selection$/, '');
      return whole === references[index] || !references.includes(whole ?? '');
    });
  }) as AnySchema;
}

/**
 * Makes a check of exchanges with the server at `url`, each against the document that is served to its caller. It throws
 * where one does not conform.
 */
export function createContractCheck(url: string): (exchange: Exchange) => Promise<void> {
  const callers = new Map<string, CallerDocuments>();
  return async (exchange) => {
    const credential = new Headers();
    for (const name of ['authorization', 'x-api-key', 'cookie']) {
      const value = exchange.requestHeaders.get(name);
      if (value !== null) credential.set(name, value);
    }
    const key = JSON.stringify([...credential]);
    const caller = callers.get(key) ?? new CallerDocuments(url, credential);
    callers.set(key, caller);
    const { current, previous } = await caller.load();
    const faults = current.check(exchange);
    // The rules may have changed between the answer and the document.
    if (faults.length === 0 || previous?.check(exchange).length === 0) return;
    throw new Error(
      `${exchange.method} ${exchange.path} does not conform to the document:\n  ${faults.join('\n  ')}\n` +
        `  answer ${exchange.status}: ${exchange.text.slice(0, 500)}`,
    );
  };
}

/**
 * By entity tag, which is a digest of the document: many callers have the same one, of one server or of several. Those
 * of all tests of a process together are too many to be kept.
 */
const contracts = new LRUCache<string, Contract>({ max: 60 });

/** The documents that one caller has been served, the last two of them. */
class CallerDocuments {
  private etag = '';
  private current: Contract | null = null;
  private previous: Contract | null = null;

  constructor(
    private readonly url: string,
    private readonly credential: Headers,
  ) {}

  async load(): Promise<{ readonly current: Contract; readonly previous: Contract | null }> {
    const known = new Map(contracts.entries());
    let response = await this.fetchDocument(this.credential, known);
    // Who has no valid credential, or has tried too many, has the public's document.
    if (response.status === 401 || response.status === 429)
      response = await this.fetchDocument(new Headers(), known);
    const etag = response.headers.get('etag') ?? '';
    let contract = known.get(etag);
    if (response.status === 200) contract = createContract((await response.json()) as Json);
    else if (response.status !== 304) throw new Error(`The server gives no document: ${response.status}`);
    if (contract) contracts.set(etag, contract);
    if (etag !== this.etag) {
      this.previous = this.current;
      this.current = contract ?? null;
      this.etag = etag;
    }
    if (!this.current) throw new Error('The server gives no document.');
    return { current: this.current, previous: this.previous };
  }

  private fetchDocument(credential: Headers, known: ReadonlyMap<string, Contract>): ReturnType<typeof fetch> {
    const headers = new Headers(credential);
    if (known.size > 0) headers.set('if-none-match', [...known.keys()].join(', '));
    return fetch(`${this.url}/openapi.json`, { headers });
  }
}
