import type { Random } from '../../../test/kit/random.js';
import {
  AMOUNTS,
  DATES,
  DURATIONS,
  FLOAT8,
  INSTANTS,
  INT4,
  INT8,
  MOODS,
  PRICES,
  TEXTS,
  UUIDS,
} from './random-rows.js';

/** What names can be used where: the paths of each kind, and the lists. */
interface Names {
  readonly int: readonly string[];
  readonly double: readonly string[];
  readonly decimal: readonly string[];
  readonly string: readonly string[];
  readonly bool: readonly string[];
  readonly timestamp: readonly string[];
  readonly duration: readonly string[];
  readonly bytes: readonly string[];
  readonly dyn: readonly string[];
  readonly nullable: readonly string[];
  readonly lists: readonly { readonly path: string; readonly element: Names }[];
}

const NOTHING: Names = {
  int: [],
  double: [],
  decimal: [],
  string: [],
  bool: [],
  timestamp: [],
  duration: [],
  bytes: [],
  dyn: [],
  nullable: [],
  lists: [],
};

const prefixed = (names: Names, prefix: string): Names => {
  const add = (paths: readonly string[]): readonly string[] =>
    paths.map((path) =>
      path === '' ? prefix : path.startsWith('[') ? `${prefix}${path}` : `${prefix}.${path}`,
    );
  return {
    int: add(names.int),
    double: add(names.double),
    decimal: add(names.decimal),
    string: add(names.string),
    bool: add(names.bool),
    timestamp: add(names.timestamp),
    duration: add(names.duration),
    bytes: add(names.bytes),
    dyn: add(names.dyn),
    nullable: add(names.nullable),
    lists: names.lists.map((list) => ({ ...list, path: `${prefix}.${list.path}` })),
  };
};

const merged = (...all: readonly Names[]): Names => {
  const join = (key: Exclude<keyof Names, 'lists'>): readonly string[] => all.flatMap((names) => names[key]);
  return {
    int: join('int'),
    double: join('double'),
    decimal: join('decimal'),
    string: join('string'),
    bool: join('bool'),
    timestamp: join('timestamp'),
    duration: join('duration'),
    bytes: join('bytes'),
    dyn: join('dyn'),
    nullable: join('nullable'),
    lists: all.flatMap((names) => names.lists),
  };
};

const PERSON_FIELDS: Names = {
  ...NOTHING,
  int: ['id', 'age'],
  string: ['name'],
  nullable: ['age', 'boss', 'name'],
};

const COMMENT_FIELDS: Names = {
  ...NOTHING,
  int: ['score', 'id', 'author.age'],
  string: ['body', 'author.name', 'item.title'],
  bool: ['approved'],
  nullable: ['author', 'body', 'approved', 'author.boss'],
};

const COMMENT: Names = {
  ...COMMENT_FIELDS,
  lists: [{ path: 'author.comments', element: COMMENT_FIELDS }],
};

const ADDRESS: Names = {
  ...NOTHING,
  int: ['number'],
  string: ['city', 'mood'],
  nullable: ['city', 'number'],
};

const scalarElement = (kind: 'int' | 'double' | 'string' | 'dyn'): Names => ({
  ...NOTHING,
  [kind]: [''],
  nullable: [''],
});

const ITEM_FIELDS: Names = {
  int: ['small', 'medium', 'big', 'views', 'numbers[0]', 'numbers[2]'],
  double: ['ratio', 'approx', 'scores[0]'],
  decimal: ['price', 'amount'],
  string: [
    'title',
    'note',
    'code',
    'padded',
    'handle',
    'short',
    'label',
    'uid',
    'mood',
    'ip',
    'clock',
    'period',
    'tags[0]',
    'moods[0]',
  ],
  bool: ['flag', 'active'],
  timestamp: ['at', 'local', 'day'],
  duration: ['span'],
  bytes: ['raw'],
  dyn: [
    'meta',
    'meta.color',
    'meta.price',
    'meta.size.w',
    'meta.tags[0]',
    'meta["0"]',
    'doc.color',
    'doc.price',
    'meta[2].color',
    'meta.active',
  ],
  nullable: [
    'flag',
    'big',
    'ratio',
    'amount',
    'note',
    'mood',
    'at',
    'span',
    'raw',
    'meta.color',
    'doc.size',
    'tags',
    'address',
  ],
  lists: [
    { path: 'tags', element: scalarElement('string') },
    { path: 'numbers', element: scalarElement('int') },
    { path: 'scores', element: scalarElement('double') },
    { path: 'moods', element: scalarElement('string') },
    { path: 'addresses', element: ADDRESS },
    { path: 'meta.tags', element: scalarElement('dyn') },
    { path: 'comments', element: COMMENT },
  ],
};

const ITEM: Names = merged(
  ITEM_FIELDS,
  prefixed(ADDRESS, 'address'),
  prefixed(PERSON_FIELDS, 'owner'),
  prefixed(PERSON_FIELDS, 'owner.boss'),
  prefixed(ITEM_FIELDS, 'parent'),
  prefixed(PERSON_FIELDS, 'parent.owner'),
  {
    ...NOTHING,
    string: ['record["hostile \\"name\\""]', 'auth.id', 'auth.kind'],
    nullable: ['owner', 'parent', 'parent.owner', 'auth.id', 'auth.kind', 'auth.claims.nothing'],
  },
  {
    ...NOTHING,
    lists: [{ path: 'items', element: { ...ITEM_FIELDS, lists: ITEM_FIELDS.lists.slice(0, 2) } }],
  },
  { ...NOTHING, lists: [{ path: 'auth.roles', element: scalarElement('string') }] },
);

const CLAIMS: Readonly<Record<string, readonly string[]>> = {
  int: ['auth.claims.number', 'auth.claims.fraction'],
  decimal: ['auth.claims.number', 'auth.claims.fraction'],
  double: ['auth.claims.fraction'],
  string: ['auth.claims.text', 'auth.claims.uid', 'auth.claims.nothing', 'auth.claims.number'],
  bool: ['auth.claims.flag'],
  timestamp: ['auth.claims.at'],
};

/**
 * Doubles of which no sum or product is beyond all doubles, and none so large that an int beside it would be rounded:
 * the other implementation compares the two as doubles.
 */
export const STANDARD_DOUBLES: readonly string[] = [
  '0.0',
  '1.0',
  '0.1',
  '-2.5',
  '3.0',
  '1e15',
  '1.5e-7',
  '0.3',
  '123456.789',
];

/**
 * The other implementation takes year 1 for 1901, rounds instants to milliseconds, towards 1970, when it takes parts of
 * them, and orders text by UTF-16 units. Of two instants of milliseconds, the difference has no smaller part either.
 */
export const STANDARD_INSTANTS: readonly string[] = INSTANTS.filter((text) => !/^0001|\.\d{4}/.test(text));
export const STANDARD_TEXTS: readonly string[] = TEXTS.filter((text) => !/[\uffee\ufffd]/.test(text));

type NumberKind = 'int' | 'double' | 'decimal';
type Kind = NumberKind | 'string' | 'timestamp' | 'duration' | 'bytes' | 'bool' | 'dyn';

const PATTERNS: readonly string[] = [
  '^a',
  'b$',
  '(?i)abc',
  '(?i)k',
  '^[A-Z][a-z]*$',
  '[^a-z]',
  '\\\\d+',
  '\\\\w+\\\\s\\\\w+',
  '\\\\bdef\\\\b',
  '^.{1,3}$',
  '(?s)line.break',
  'line.break',
  '(?m)^break$',
  'a|^$',
  '^(?:a|B)+c?$',
  '[[:punct:]]',
  '\\\\x{1f600}',
  '.',
  '\\\\S$',
  '',
];

/** Fields whose values plain CEL has too, and sees as we do. */
const STANDARD_FIELDS: Names = {
  ...NOTHING,
  int: ['small', 'medium', 'big', 'views', 'numbers[0]'],
  double: ['ratio', 'scores[0]'],
  string: ['title', 'note', 'code', 'tags[0]', 'tags[1]'],
  bool: ['flag', 'active'],
  timestamp: ['at', 'local', 'day'],
  bytes: ['raw'],
  dyn: ['meta.color', 'meta.price', 'meta.size.w', 'meta.tags[0]', 'meta.active'],
  nullable: ['flag', 'big', 'ratio', 'note', 'at', 'raw', 'tags', 'owner'],
  lists: [
    { path: 'tags', element: scalarElement('string') },
    { path: 'numbers', element: scalarElement('int') },
    { path: 'scores', element: scalarElement('double') },
    {
      path: 'comments',
      element: { ...COMMENT_FIELDS, string: ['body'], int: ['score', 'id'], nullable: ['body'] },
    },
  ],
};

const STANDARD_ITEM: Names = merged(
  STANDARD_FIELDS,
  prefixed({ ...PERSON_FIELDS, nullable: ['age', 'name'] }, 'owner'),
);

/** Writes random well-typed expressions over `items`. */
export class ExpressionWriter {
  private variables = 0;

  /** `standard`: only what plain CEL knows and means in the same way. */
  constructor(
    private readonly random: Random,
    private readonly dialect: 'plinth' | 'standard' = 'plinth',
  ) {}

  write(): string {
    return this.predicate(this.isStandard ? STANDARD_ITEM : ITEM, 1 + this.random.below(4));
  }

  private get isStandard(): boolean {
    return this.dialect === 'standard';
  }

  private predicate(names: Names, depth: number): string {
    const { random } = this;
    if (depth > 0 && random.chance(0.45)) {
      const smaller = (): string => this.predicate(names, depth - 1);
      switch (random.below(5)) {
        case 0:
          return `(${smaller()} && ${smaller()})`;
        case 1:
          return `(${smaller()} || ${smaller()})`;
        case 2:
          return `!(${smaller()})`;
        case 3:
          return `(${smaller()} ? ${smaller()} : ${smaller()})`;
        default:
          return `(${smaller()}) ${random.pick(['==', '!='])} (${smaller()})`;
      }
    }
    switch (random.below(10)) {
      case 0:
      case 1:
      case 2:
        return this.comparison(names, depth);
      case 3:
        return this.equality(names, depth);
      case 4:
        return this.membership(names, depth);
      case 5:
        return names.nullable.length > 0 ? this.nullTest(names) : this.comparison(names, depth);
      case 6:
        return names.string.length > 0 ? this.textPredicate(names, depth) : this.comparison(names, depth);
      case 7:
        return names.lists.length > 0 ? this.quantifier(names, depth) : this.equality(names, depth);
      case 8:
        return names.bool.length > 0 ? random.pick(names.bool) : this.comparison(names, depth);
      default:
        return names.dyn.length > 0 ? this.json(names, depth) : this.equality(names, depth);
    }
  }

  private kinds(names: Names): Kind[] {
    const all: readonly Kind[] = [
      'int',
      'double',
      'decimal',
      'string',
      'timestamp',
      'duration',
      'bytes',
      'bool',
    ];
    return all.filter((kind) => names[kind].length > 0);
  }

  private kind(names: Names): Kind {
    const kinds = this.kinds(names);
    return kinds.length === 0
      ? 'int'
      : this.random.pick([...kinds, ...kinds.filter((kind) => kind === 'int' || kind === 'string')]);
  }

  private otherKind(kind: Kind): Kind {
    const isNumber = kind === 'int' || kind === 'double' || kind === 'decimal';
    if (this.isStandard)
      return isNumber && this.random.chance(0.4) ? this.random.pick(['int', 'double']) : kind;
    return isNumber && this.random.chance(0.4) ? this.random.pick(['int', 'double', 'decimal']) : kind;
  }

  private pair(names: Names, depth: number): [string, string] {
    const kind = this.kind(names);
    const left = this.value(kind, names, depth);
    const claims = CLAIMS[kind];
    if (!this.isStandard && claims !== undefined && this.random.chance(0.08))
      return [left, this.random.pick(claims)];
    return [left, this.value(this.otherKind(kind), names, depth)];
  }

  private comparison(names: Names, depth: number): string {
    const [left, right] = this.pair(names, depth);
    return `${left} ${this.random.pick(['<', '<=', '>', '>='])} ${right}`;
  }

  private equality(names: Names, depth: number): string {
    if (!this.isStandard && this.random.chance(0.08)) return this.listEquality(names);
    const [left, right] = this.pair(names, depth);
    const operator = this.random.pick(['==', '!=']);
    return this.random.chance(0.5) ? `${left} ${operator} ${right}` : `${right} ${operator} ${left}`;
  }

  /** Of lists as they are written down, with elements of all kinds, and of those of the actor. */
  private listEquality(names: Names): string {
    const { random } = this;
    const element = (): string =>
      random.chance(0.2)
        ? 'null'
        : random.chance(0.2)
          ? this.value(this.kind(names), names, 0)
          : random.pick(['1', '1.0', '2', '"abc"', '"ok"', 'true', 'b"\\xff"', '"\\\\xff"']);
    const list = (): string => `[${Array.from({ length: random.below(4) }, element).join(', ')}]`;
    const other = random.chance(0.6) ? list() : random.pick(['auth.roles', 'auth.claims.list', 'meta.tags']);
    return `${list()} ${random.pick(['==', '!='])} ${other}`;
  }

  private nullTest(names: Names): string {
    const path = this.random.pick(names.nullable);
    if (!this.isStandard && this.random.chance(0.4) && path !== '' && /^[\w.]+$/.test(path))
      return `has(${path})`;
    return `${path} ${this.random.pick(['==', '!='])} null`;
  }

  private membership(names: Names, depth: number): string {
    const { random } = this;
    if (this.isStandard) {
      const kind = random.pick(['int', 'string'] as const);
      const items = Array.from({ length: random.below(4) }, () => this.literal(kind));
      const stored = kind === 'int' ? 'numbers' : 'tags';
      return `${kind === 'int' ? 'views' : 'title'} in ${random.chance(0.7) ? `[${items.join(', ')}]` : stored}`;
    }
    const roll = random.below(10);
    if (roll < 3) {
      const list = random.pick([
        ['string', 'tags'],
        ['int', 'numbers'],
        ['double', 'scores'],
        ['string', 'moods'],
        ['string', 'auth.roles'],
        ['string', 'auth.claims.list'],
        ['int', 'auth.claims.list'],
        ['string', 'meta.tags'],
        ['decimal', 'meta.tags'],
      ] as const);
      return `${this.value(list[0], names, depth)} in ${list[1]}`;
    }
    if (roll === 3) return `${this.value('string', names, 0)} in comments.map(m, m.body)`;
    if (roll === 4)
      return `${this.value('int', names, 0)} in numbers.filter(n, n > ${this.literal('int')}).map(n, n + 1)`;
    const kind = this.kind(names);
    const items = Array.from({ length: random.below(4) }, () =>
      random.chance(0.7) ? this.literal(this.otherKind(kind)) : this.value(kind, names, depth),
    );
    return `${this.value(kind, names, depth)} in [${items.join(', ')}]`;
  }

  private textPredicate(names: Names, depth: number): string {
    const { random } = this;
    const text = this.value('string', names, depth);
    if (random.chance(0.35)) return `${this.receiver(text)}.matches("${random.pick(PATTERNS)}")`;
    const part = random.chance(0.6) ? this.literal('string') : this.value('string', names, depth);
    return `${this.receiver(text)}.${random.pick(['startsWith', 'endsWith', 'contains'])}(${part})`;
  }

  private receiver(text: string): string {
    return /^[\w.]+$/.test(text) ? text : `(${text})`;
  }

  private quantifier(names: Names, depth: number): string {
    const { random } = this;
    const { path, element } = random.pick(names.lists);
    this.variables += 1;
    const variable = `v${this.variables}`;
    const inner = prefixed(element, variable);
    const body = this.predicate(inner, Math.max(0, Math.min(depth - 1, 1)));
    const macro = random.below(5);
    if (macro === 3)
      return `size(${path}.filter(${variable}, ${body})) ${random.pick(['<', '>', '=='])} ${random.below(3)}`;
    if (macro === 4)
      return `${path}.filter(${variable}, ${body}).exists(w, ${this.predicate(prefixed(element, 'w'), 0)})`;
    return `${path}.${random.pick(['exists', 'all', 'exists_one'])}(${variable}, ${body})`;
  }

  private json(names: Names, depth: number): string {
    const { random } = this;
    const path = random.pick(names.dyn);
    const other = random.below(7);
    const operator = random.pick(['==', '!=']);
    if (other === 0) return `${path} ${operator} ${random.pick(names.dyn)}`;
    if (other === 1) return `size(${path}) ${random.pick(['<', '=='])} ${random.below(4)}`;
    if (other === 2 && !this.isStandard) return path;
    const kinds = ['string', 'int', 'double', 'bool', 'decimal'] as const;
    const kind = random.pick(this.isStandard ? kinds.slice(0, 4) : kinds);
    const value = names[kind].length > 0 ? this.value(kind, names, Math.min(depth, 1)) : this.literal(kind);
    if (other < 5) return `${path} ${operator} ${value}`;
    return `${path} ${random.pick(['<', '<=', '>', '>='])} ${value}`;
  }

  private value(kind: Kind, names: Names, depth: number): string {
    const { random } = this;
    if (depth > 0 && random.chance(0.35)) return this.computation(kind, names, depth - 1);
    const paths = names[kind];
    if (paths.length > 0 && random.chance(0.65)) return random.pick(paths);
    return this.literal(kind);
  }

  private computation(kind: Kind, names: Names, depth: number): string {
    const { random } = this;
    const value = (of: Kind): string => this.value(of, names, depth);
    if (random.chance(0.12)) return `(${this.predicate(names, 0)} ? ${value(kind)} : ${value(kind)})`;
    switch (kind) {
      case 'int':
        switch (random.below(6)) {
          case 0:
            return `int(${value(random.pick(this.isStandard ? ['double', 'timestamp'] : ['double', 'decimal', 'timestamp', 'string']))})`;
          case 1:
            return `size(${value('string')})`;
          case 2:
            return `-(${value('int')})`;
          case 3:
            return this.calendar(names, depth);
          default:
            return `(${value('int')} ${random.pick(['+', '-', '*', '/', '%'])} ${value('int')})`;
        }
      case 'double':
        if (random.chance(0.2))
          return `double(${value(random.pick(this.isStandard ? ['int'] : ['int', 'decimal', 'string']))})`;
        if (random.chance(0.1)) return `-(${value('double')})`;
        return `(${this.anyDouble(names)} ${random.pick(this.isStandard ? ['+', '-', '*'] : ['+', '-', '*', '/'])} ${value('double')})`;
      case 'decimal':
        if (random.chance(0.1)) return `-(${value('decimal')})`;
        return `(${value('decimal')} ${random.pick(['+', '-', '*', '/'])} ${value(random.pick(['decimal', 'int', 'double']))})`;
      case 'string':
        switch (random.below(4)) {
          case 0:
            return `(${value('string')} + ${value('string')})`;
          case 1:
            return `string(${value(random.pick(this.isStandard ? ['int', 'bool'] : ['int', 'decimal', 'double', 'timestamp', 'bool']))})`;
          default:
            return `${this.receiver(value('string'))}.${random.pick(['lowerAscii', 'upperAscii'])}()`;
        }
      case 'timestamp':
        return `(${value('timestamp')} ${random.pick(['+', '-'])} ${value('duration')})`;
      case 'duration':
        return `(${value('timestamp')} - ${value('timestamp')})`;
      case 'bool':
        return `(${this.predicate(names, depth)})`;
      default:
        return value(kind);
    }
  }

  private anyDouble(names: Names): string {
    return names.double.length > 0 ? this.random.pick(names.double) : this.literal('double');
  }

  private calendar(names: Names, depth: number): string {
    const { random } = this;
    const timeParts = ['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'];
    if (random.chance(0.25)) return `(${this.value('duration', names, depth)}).${random.pick(timeParts)}()`;
    const parts = [
      'getFullYear',
      'getMonth',
      'getDate',
      'getDayOfMonth',
      'getDayOfWeek',
      'getDayOfYear',
      ...timeParts,
    ];
    return `(${this.value('timestamp', names, depth)}).${random.pick(parts)}()`;
  }

  private literal(kind: Kind): string {
    const { random } = this;
    switch (kind) {
      case 'int':
        return random.pick([...INT4, ...INT8, ...(this.isStandard ? [] : ['0x10', '007'])]);
      case 'double':
        if (this.isStandard) return random.pick(STANDARD_DOUBLES);
        return this.doubleText(random.pick(FLOAT8.filter((text) => !/[NIf]|^5e-324|1e-200/.test(text))));
      case 'decimal':
        return this.doubleText(
          random.pick([...PRICES, ...AMOUNTS].filter((text) => /^-?\d+\.\d+$/.test(text))),
        );
      case 'string':
        if (this.isStandard) return JSON.stringify(random.pick(STANDARD_TEXTS));
        return JSON.stringify(
          random.pick([...TEXTS, ...MOODS, ...UUIDS, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a', 'abc']),
        );
      case 'timestamp':
        return random.chance(0.15) && !this.isStandard
          ? 'now'
          : `timestamp("${random.pick(this.isStandard ? STANDARD_INSTANTS : [...INSTANTS, ...DATES])}")`;
      case 'duration':
        return `duration("${random.pick(DURATIONS.filter((text) => !this.isStandard || text !== '0.000001s'))}")`;
      case 'bytes':
        return random.pick(['b""', 'b"abc"', 'b"\\xff"', 'b"\\x00"']);
      case 'bool':
        return random.pick(['true', 'false']);
      default:
        return '"red"';
    }
  }

  private doubleText(text: string): string {
    return /[.e]/.test(text) ? text : `${text}.0`;
  }
}
