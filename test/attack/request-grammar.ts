import type { Random } from '../kit/random.js';
import {
  CASTS,
  COLLECTIONS,
  COMPARISONS,
  CURSORS,
  FRAGMENTS,
  HEADERS,
  LITERALS,
  MACROS,
  OPERATORS,
  OTHER_PATHS,
  SEARCHES,
  SHAPES,
  STRANGE_FIELDS,
  STRANGE_LITERALS,
  STRANGE_NUMBERS,
  STRANGE_RELATIONS,
  TEXT_FUNCTIONS,
  type Kind,
} from './grammar-words.js';

/** A request as it goes out, letter by letter. */
export interface AttackRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Route {
  readonly methods: readonly string[];
  readonly parameters: readonly string[];
}

const ROUTES = {
  list: {
    methods: ['GET', 'GET', 'GET', 'GET', 'POST', 'PATCH', 'DELETE'],
    parameters: [
      'filter',
      'filter',
      'sort',
      'fields',
      'limit',
      'offset',
      'cursor',
      'count',
      'search',
      'upsertOn',
    ],
  },
  aggregate: { methods: ['GET'], parameters: ['measures', 'groupBy', 'filter', 'sort', 'limit'] },
  record: { methods: ['GET', 'GET', 'PATCH', 'PUT', 'DELETE'], parameters: ['fields'] },
  batch: { methods: ['POST'], parameters: [] },
} as const satisfies Record<string, Route>;
type RouteName = keyof typeof ROUTES;

const METHODS = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'];
const STRANGE_PARAMETERS = [
  'x',
  '',
  'comments.limit',
  'author.sort',
  'filter.x',
  '__proto__',
  'where',
  'select',
];
/** How often something is chosen that does not belong where it stands. */
const STRANGE = 0.07;

/** Writes requests of a grammar, most of which mean something, and then spoils a part of them. */
export class RequestWriter {
  private counter = 0;

  constructor(private readonly random: Random) {}

  write(): AttackRequest {
    const route = this.random.pick<RouteName>(['list', 'list', 'list', 'aggregate', 'record', 'batch']);
    const collection = this.random.pick(this.isStrange() ? COLLECTIONS : Object.keys(SHAPES));
    const method = this.random.pick(this.isStrange() ? METHODS : ROUTES[route].methods);
    const path = this.random.chance(0.04) ? this.random.pick(OTHER_PATHS) : this.path(route, collection);
    const query = this.query(route, method, collection)
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .join('&');
    const hasBody = /^(POST|PATCH|PUT)$/.test(method) || this.random.chance(0.02);
    return {
      method,
      target: this.spoilTarget(query === '' ? path : `${path}?${query}`),
      headers: this.headers(hasBody),
      ...(hasBody ? { body: this.body(route, method, collection) } : {}),
    };
  }

  private isStrange(): boolean {
    return this.random.chance(STRANGE);
  }

  private path(route: RouteName, collection: string): string {
    const name = encode(this.spoil(collection, 0.02));
    if (route === 'batch') return '/api/batch';
    if (route === 'aggregate') return `/api/${name}/aggregate`;
    return route === 'record' ? `/api/${name}/${encode(this.key(collection))}` : `/api/${name}`;
  }

  private key(collection: string): string {
    const fitting = { parcels: ['mine-4', 'mine-8'], post_tags: ['2,3', '4,1', '1,2'] }[collection];
    const key = this.random.pick(fitting ?? ['1', '2', '15', '60', '1001', '0', '99999999999', '-1', 'x']);
    return this.spoil(key, 0.1);
  }

  private query(route: RouteName, method: string, collection: string): [string, string][] {
    const isBulk = route === 'list' && (method === 'PATCH' || method === 'DELETE');
    const names = new Set<string>(isBulk ? ['filter'] : []);
    const count = this.random.below(3);
    const fitting = isBulk || method === 'POST' ? ['fields'] : ROUTES[route].parameters;
    for (let each = 0; each < count; each += 1) {
      const known = fitting.length > 0 && !this.isStrange();
      names.add(this.random.pick(known ? fitting : [...ROUTES.list.parameters, ...STRANGE_PARAMETERS]));
    }
    const made = [...names].map((name): [string, string] => [
      this.spoil(name, 0.01),
      this.spoil(this.valueOf(name, collection), 0.08),
    ]);
    return this.random.chance(0.02) ? [...made, ...made] : made;
  }

  private valueOf(name: string, collection: string): string {
    switch (name.split('.').at(-1)) {
      case 'filter':
        return this.condition(collection, this.random.below(4));
      case 'sort':
        return this.list(() => `${this.random.pick(['', '-'])}${this.fieldPath(collection)[0]}`);
      case 'fields':
        return this.fields(collection, this.random.below(4));
      case 'limit':
      case 'offset':
        return this.random.pick(this.isStrange() ? STRANGE_NUMBERS : ['1', '3', '10', '50', '1000']);
      case 'cursor':
        return this.random.pick(CURSORS);
      case 'count':
        return this.random.pick(this.isStrange() ? ['EXACT', 'x', ''] : ['exact', 'estimated']);
      case 'search':
        return this.random.pick(SEARCHES);
      case 'measures':
        return this.list(() => this.measure(collection));
      case 'groupBy':
        return this.list(() => this.group(collection));
      case 'upsertOn':
        return this.random.pick(['id', 'id', 'name', 'code', 'id,name', '']);
      default:
        return this.random.pick([...STRANGE_FIELDS, ...STRANGE_LITERALS]);
    }
  }

  private measure(collection: string): string {
    const [path, kind] = this.fieldPath(collection);
    const numeric = kind === 'int' || kind === 'decimal' ? ['sum', 'avg'] : [];
    const name = this.random.pick([
      'count',
      'countDistinct',
      'min',
      'max',
      ...numeric,
      ...(this.isStrange() ? ['x'] : []),
    ]);
    return this.random.chance(0.3) ? 'count' : `${name}(${path})`;
  }

  private group(collection: string): string {
    const [path, kind] = this.fieldPath(collection);
    return kind === 'time' || this.isStrange()
      ? `${path}:${this.random.pick(['month', 'hour', 'year', 'x'])}`
      : path;
  }

  /** A condition on a record of a collection, whose name `record` with a dot stands before its fields. */
  private condition(collection: string, depth: number, record = ''): string {
    if (this.isStrange()) return this.strangeCondition(collection, record);
    const inner = (): string => this.condition(collection, depth - 1, record);
    switch (depth <= 0 ? 9 : this.random.below(7)) {
      case 0:
        return `!(${inner()})`;
      case 1:
        return `(${inner()}) ${this.random.pick(['&&', '||'])} (${inner()})`;
      case 2:
        return `(${inner()}) ? (${inner()}) : (${inner()})`;
      case 3:
      case 4:
        return this.overList(collection, depth, record);
      default:
        return this.comparison(collection, record);
    }
  }

  private overList(collection: string, depth: number, record: string): string {
    const lists = Object.entries(SHAPES[collection]?.many ?? {});
    if (lists.length === 0) return this.comparison(collection, record);
    const [name, target] = this.random.pick(lists);
    const list = this.isStrange() ? this.random.pick(STRANGE_RELATIONS) : name;
    const variable = `v${depth}`;
    const inner = this.condition(target, depth - 1, `${variable}.`);
    if (this.random.chance(0.2)) return `size(${record}${list}.filter(${variable}, ${inner})) > 1`;
    const macro = this.random.pick(this.isStrange() ? MACROS : ['exists', 'all', 'exists_one']);
    return `${record}${list}.${macro}(${variable}, ${inner})`;
  }

  private comparison(collection: string, record: string): string {
    const [path, kind] = this.fieldPath(collection);
    const field = record + path;
    const literal = this.random.pick(LITERALS[kind]);
    if (kind === 'text' && this.random.chance(0.4))
      return `${field}.${this.random.pick(TEXT_FUNCTIONS)}(${this.random.pick(['"a"', '"^[a-f]+$"', '""', '"%"'])})`;
    if (this.random.chance(0.1)) return `${field} in [${literal}, ${literal}]`;
    if (this.random.chance(0.1)) return `has(${record === '' ? 'record.' : ''}${field})`;
    if ((kind === 'int' || kind === 'decimal') && this.random.chance(0.2))
      return `${field} ${this.random.pick(['+', '-', '*', '/'])} ${literal} ${this.random.pick(COMPARISONS)} ${field}`;
    const comparison = kind === 'bool' || literal === 'null' ? ['==', '!='] : COMPARISONS;
    return `${field} ${this.random.pick(comparison)} ${literal}`;
  }

  private strangeCondition(collection: string, record: string): string {
    const term = (): string => {
      const text = this.random.pick([
        ...STRANGE_LITERALS,
        record + this.fieldPath(collection)[0],
        record + this.random.pick(STRANGE_FIELDS),
      ]);
      return this.random.chance(0.3) ? `${this.random.pick(CASTS)}(${text})` : text;
    };
    return `${term()} ${this.random.pick(OPERATORS)} ${term()}`;
  }

  /** A field, some relations away now and then. */
  private fieldPath(collection: string): [path: string, kind: Kind] {
    if (this.isStrange()) return [this.random.pick(STRANGE_FIELDS), 'text'];
    const shape = SHAPES[collection];
    const relations = Object.entries(shape?.one ?? {});
    if (relations.length > 0 && this.random.chance(0.25)) {
      const [name, target] = this.random.pick(relations);
      const [path, kind] = this.fieldPath(target);
      return [`${name}.${path}`, kind];
    }
    return this.random.pick(Object.entries(shape?.fields ?? { id: 'int' as const }));
  }

  private fields(collection: string, depth: number): string {
    const shape = SHAPES[collection];
    const relations = Object.entries({ ...shape?.one, ...shape?.many });
    return this.list(() => {
      if (this.random.chance(0.2)) return '*';
      if (depth > 0 && relations.length > 0 && this.random.chance(0.5)) {
        const [name, target] = this.random.pick(relations);
        return `${name}(${this.fields(target, depth - 1)})`;
      }
      return this.random.pick(
        this.isStrange() ? STRANGE_FIELDS : Object.keys(shape?.fields ?? {}).concat('id'),
      );
    });
  }

  /** Without doubles: these are refused. */
  private list(item: () => string): string {
    return [...new Set(Array.from({ length: 1 + this.random.below(3) }, item))].join(',');
  }

  private body(route: RouteName, method: string, collection: string): string {
    const record = (): unknown => this.record(method, collection);
    const isList = method === 'POST' && this.random.chance(0.2);
    const value = route === 'batch' ? this.batch() : isList ? [record(), record()] : record();
    return this.spoil(JSON.stringify(value), 0.12);
  }

  private batch(): object {
    const operations = Array.from({ length: 1 + this.random.below(4) }, (_, index) => {
      const route = this.random.pick<RouteName>(['list', 'record', 'aggregate']);
      const collection = this.random.pick(Object.keys(SHAPES));
      const method = this.random.pick(ROUTES[route].methods);
      const query = Object.fromEntries(this.query(route, method, collection));
      const hasBody = /^(POST|PATCH|PUT)$/.test(method);
      return {
        method,
        path: this.path(route, collection).replace('/api', ''),
        ...(this.random.chance(0.3) ? { label: `l${index}` } : {}),
        ...(Object.keys(query).length > 0 ? { query } : {}),
        ...(hasBody ? { body: this.record(method, collection) } : {}),
      };
    });
    return { operations };
  }

  private record(method: string, collection: string): unknown {
    this.counter += 1;
    if (this.random.chance(0.02)) return this.random.pick<unknown>([null, 1, 'x', [], [[]], true]);
    const id = method === 'POST' ? { id: 5000 + this.counter } : {};
    const writable: Readonly<Record<string, object>> = {
      posts: { ...id, title: `Text ${this.counter % 7}`, ...(method === 'POST' ? { status: 'draft' } : {}) },
      tags: { ...id, name: `Tag ${this.counter % 7}` },
      comments: { ...id, post_id: 2, author_id: 1, body: 'Text', approved: false },
      users: { name: 'Text' },
      parcels: { label: 'Text' },
    };
    const record = { ...(writable[collection] ?? { id: 1 }) };
    if (!this.random.chance(0.25)) return record;
    const name = this.random.pick([
      ...STRANGE_FIELDS,
      ...Object.keys(SHAPES[collection]?.fields ?? {}),
      '__proto__',
      '',
    ]);
    return { ...record, [this.spoil(name, 0.1)]: this.value() };
  }

  private value(): unknown {
    return this.random.pick<unknown>([
      1,
      0,
      -1,
      1.5,
      2 ** 53,
      1e308,
      true,
      false,
      null,
      '',
      'x',
      'draft',
      'published',
      '2026-01-01T00:00:00Z',
      '\0',
      '\ud800',
      'a'.repeat(2e3),
      [],
      [1],
      {},
      { $ref: 'l0.id' },
      { $ref: 'l0.password' },
      { a: { b: 1 } },
    ]);
  }

  private headers(hasBody: boolean): Record<string, string> {
    const headers: Record<string, string> = {};
    if (hasBody && this.random.chance(0.97)) {
      headers['content-type'] = this.isStrange()
        ? this.random.pick(['text/plain', 'application/json; charset=latin1', 'multipart/form-data', 'x', ''])
        : this.random.pick(['application/json', 'application/merge-patch+json']);
    }
    if (this.random.chance(0.12)) {
      const [name, values] = this.random.pick(HEADERS);
      headers[name] = this.random.pick(values);
    }
    return headers;
  }

  /** Each kind of damage that a text can take. */
  private spoil(text: string, probability: number): string {
    if (!this.random.chance(probability)) return text;
    const at = this.random.below(text.length + 1);
    switch (this.random.below(5)) {
      case 0:
        return text.slice(0, at);
      case 1:
        return text.slice(0, at) + text.slice(at + 1 + this.random.below(4));
      case 2:
        return text.slice(0, at) + text.slice(Math.max(0, at - 5));
      case 3:
        return Array.from(text).toReversed().join('');
      default:
        return text.slice(0, at) + this.random.pick(FRAGMENTS) + text.slice(at);
    }
  }

  /** What has been encoded is spoiled as it goes out. */
  private spoilTarget(target: string): string {
    const spoiled = this.spoil(target, 0.03).replaceAll(/[^\x21-\x7e]/g, (letter) => encode(letter));
    return spoiled.startsWith('/') ? spoiled : `/${spoiled}`;
  }
}

const encode = (text: string): string => encodeURIComponent(text.toWellFormed());
