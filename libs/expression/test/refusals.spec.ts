import { describe, expect, it } from 'vitest';
import {
  bindParameter,
  checkExpression,
  compileExpression,
  DEFAULT_EXPRESSION_LIMITS,
  ExpressionError,
  parseExpression,
  renderSql,
  suggestName,
  type Literal,
} from '../src/index.js';
import { TestSchema, TestScope } from './fixture.js';

function refusalOf(text: string): ExpressionError | null {
  try {
    checkExpression(parseExpression(text), { record: new TestSchema('items') });
    return null;
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
}

/** The piece of text that the refusal points at. */
const faultOf = (text: string): readonly (string | undefined)[] => {
  const refusal = refusalOf(text);
  return [
    refusal?.code,
    refusal === null ? undefined : text.slice(refusal.position.start, refusal.position.end),
  ];
};

describe('checkExpression', () => {
  it.each([
    ['views >', 'syntax', ''],
    ['views = 5', 'syntax', '='],
    ['title == "a', 'syntax', '"a'],
    ['viws > 5', 'unknown-name', 'viws'],
    ['owner.nmae == "a"', 'unknown-name', 'owner.nmae'],
    ['old.views > 1', 'unknown-name', 'old'],
    ['auth.name == "a"', 'unknown-name', 'auth.name'],
    ['auth.kinds == "a"', 'unknown-name', 'auth.kinds'],
    ['auth.kind == 1', 'type', 'auth.kind == 1'],
    ['auth.kind.name == "a"', 'type', 'auth.kind.name'],
    ['auth == "a"', 'type', 'auth'],
    ['titel.startsWith("a")', 'unknown-name', 'titel'],
    ['title.startWith("a")', 'unknown-name', 'title.startWith("a")'],
    ['__proto__ == 1', 'syntax', '__proto__'],
    ['constructor == 1', 'unknown-name', 'constructor'],
    ['record["toString"] == 1', 'unknown-name', 'record["toString"]'],
    ['views > "5"', 'type', 'views > "5"'],
    ['title', 'type', 'title'],
    ['active && title', 'type', 'title'],
    ['owner == "a"', 'type', 'owner'],
    ['comments == null', 'type', 'comments'],
    ['comments.body == "a"', 'type', 'comments.body'],
    ['views.exists(x, x > 1)', 'type', 'views'],
    ['comments.exists(c.body, true)', 'syntax', 'body'],
    ['comments.exists(1, true)', 'syntax', '1'],
    ['comments.exists(now, true)', 'type', 'now'],
    ['title + 5 == "a"', 'type', 'title + 5'],
    ['"a" in comments', 'type', 'comments'],
    ['views in ["a"]', 'type', '"a"'],
    ['ratio % 2.0 == 0.0', 'type', 'ratio % 2.0'],
    ['{"a": 1} == null', 'unsupported', '{"a": 1}'],
    ['5u == views', 'unsupported', '5u'],
    ['title.matches(note)', 'unsupported', 'note'],
    ['at.getHours("Europe/Berlin") == 1', 'unsupported', 'at.getHours("Europe/Berlin")'],
    ['timestamp(title) > now', 'unsupported', 'title'],
    ['at > timestamp("2024-13-01T00:00:00Z")', 'bad-literal', '"2024-13-01T00:00:00Z"'],
    ['span > duration("soon")', 'bad-literal', '"soon"'],
    ['title.matches("(")', 'bad-literal', '"("'],
    ['views > 9223372036854775808', 'bad-literal', '9223372036854775808'],
    ['title == "a\\x00"', 'bad-literal', '"a\\x00"'],
  ])('refuses %s', (text, code, fault) => {
    expect(faultOf(text)).toEqual([code, fault]);
  });

  it('suggests what was probably meant, from what is known only', () => {
    expect(refusalOf('viws > 5')?.suggestion).toBe('views');
    expect(refusalOf('owner.nmae == "a"')?.suggestion).toBe('name');
    expect(refusalOf('secret_column > 5')?.suggestion).toBeUndefined();
    expect(suggestName('tilte', ['title', 'table'])).toBe('title');
  });

  it.each([
    ['auth.kind == "usr"', '"usr"', 'user'],
    ['"Key" != auth.kind', '"Key"', 'key'],
    ['auth.kind in ["user", "robot"]', '"robot"', undefined],
    ['size(comments.filter(c, auth.kind != "keys")) > 1', '"keys"', 'key'],
  ])('refuses a kind of actor that is none, where the kinds are told: %s', (text, fault, suggestion) => {
    const check = (environment: object): unknown =>
      checkExpression(parseExpression(text), { record: new TestSchema('items'), ...environment });
    const start = text.indexOf(fault);
    expect(() => check({ actorKinds: ['public', 'key', 'user', 'function'] })).toThrow(
      expect.objectContaining({
        code: 'bad-literal',
        position: { start, end: start + fault.length },
        suggestion,
      }),
    );
    // The text of a request is checked once for all texts of its shape.
    expect(() => check({})).not.toThrow();
    expect(() => check({ actorKinds: ['usr', 'Key', 'user', 'robot', 'keys'] })).not.toThrow();
  });

  it('takes the least int, whose digits alone would be too many', () => {
    expect(refusalOf('big == -9223372036854775808')).toBeNull();
  });

  it('reaches fields of any name through record', () => {
    expect(refusalOf('record["hostile \\"name\\""] == "a" && record.title == record["title"]')).toBeNull();
  });

  it('takes a foreign key and the relation of the same name for what is asked of them', () => {
    const record = new TestSchema('items');
    const sameName = {
      name: 'items',
      field: (name: string) => (name === 'owner' ? record.field('owner_id') : record.field(name)),
      relation: (name: string) => record.relation(name),
      names: () => record.names(),
    };
    expect(() =>
      checkExpression(parseExpression('owner == 5 && owner.name == "a"'), { record: sameName }),
    ).not.toThrow();
  });
});

describe('limits', () => {
  const nested = (open: string, inner: string, close: string, times: number): string =>
    open.repeat(times) + inner + close.repeat(times);

  it.each([
    ['a long text', `title == "${'x'.repeat(DEFAULT_EXPRESSION_LIMITS.maxLength)}"`, 'too-long'],
    ['parentheses', nested('(', 'active', ')', 5000), 'too-deep'],
    ['negations', nested('!', 'active', '', 10_000), 'too-deep'],
    ['minus signs', `views == ${nested('-', '1', '', 10_000)}`, 'too-deep'],
    ['brackets', nested('[', '1', ']', 5000), 'too-deep'],
    ['a chain of sums', `views == ${'1 + '.repeat(3000)}1`, 'too-deep'],
    ['members', `meta${'.a'.repeat(5000)} == 1`, 'too-deep'],
    ['indexes', `meta${'[0]'.repeat(5000)} == 1`, 'too-deep'],
    ['conditionals', `${'active ? active : '.repeat(900)}active`, 'too-deep'],
    ['a list', `views in [${'1,'.repeat(1001)}1]`, 'too-complex'],
    ['alternatives', `${'views == 1 || '.repeat(1100)}active`, 'too-complex'],
    ['relations', 'parent.parent.parent.parent.parent.parent.title == "a"', 'too-deep'],
    [
      'lists in lists',
      [1, 2, 3, 4, 5, 6].reduce((inner, n) => `comments.exists(c${n}, ${inner})`, 'active'),
      'too-deep',
    ],
    ['a pattern', 'title.matches("((a{30}){30}){30}")', 'too-complex'],
    ['patterns', Array(17).fill('title.matches("a")').join(' || '), 'too-complex'],
  ])('bounds %s', (_what, text, code) => {
    expect(refusalOf(text)?.code).toBe(code);
  });

  it('takes a long chain of alternatives, which is no deeper than one', () => {
    const text = Array.from({ length: 300 }, (_, index) => `views == ${index}`).join(' || ');
    expect(refusalOf(text)).toBeNull();
  });

  it('keeps the statement in proportion to the text, however deep it nests', () => {
    const texts = [
      `views == ${nested('(', 'big', ' * big)', 20)}`,
      `ratio == ${nested('(', 'ratio', ' * ratio)', 20)}`,
      `amount == ${nested('(', 'amount', ' / amount)', 20)}`,
      `at == ${nested('(', 'at', ' + span)', 20)}`,
      `views == ${nested('int(double(', 'big', '))', 15)}`,
      `note == ${nested('(active ? note : ', 'note', ')', 20)}`,
      nested('(', 'note == code', ') == flag', 20),
      `amount == ${nested('(ratio * 1.0 + ', 'amount', ')', 15)}`,
      `note.endsWith(${nested('(', 'note', ' + note)', 20)})`,
    ];
    for (const text of texts) {
      const checked = checkExpression(parseExpression(text), { record: new TestSchema('items') });
      const { text: statement } = renderSql(compileExpression(checked, TestScope.of('items')));
      expect(statement.length).toBeLessThan(text.length * 250);
    }
  });
});

describe('bindParameter', () => {
  const literal = (value: string, kind: Literal['kind'] = 'string'): Literal => ({
    kind,
    value,
    start: 7,
    end: 9,
  });

  /** The texts of the parameters of one shape for the literals of another text. */
  function bind(text: string, ...literals: readonly Literal[]): readonly (string | null)[] {
    const checked = checkExpression(parseExpression(text), { record: new TestSchema('items') });
    const compiled = compileExpression(checked, TestScope.of('items'), { literals: { slot: 'filter' } });
    return renderSql(compiled).parameters.map((parameter) =>
      bindParameter(parameter, {
        auth: { kind: 'public', id: null, roles: [], claims: {} },
        literals: (_slot, index) => literals[index] ?? literal(''),
      }),
    );
  }

  it('makes null of what is no value of the type', () => {
    expect(bind('mood == "ok"', literal('good'))).toEqual([null]);
    expect(bind('uid == "x"', literal('{A0EEBC999C0B4EF8BB6D6BB9BD380A11}'))).toEqual([
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    ]);
    expect(bind('uid == "x"', literal('5'))).toEqual([null]);
    expect(bind('padded == "x"', literal('x '))).toEqual([null]);
    expect(bind('5 in numbers', literal('2147483648', 'int'))).toEqual([null]);
  });

  it('escapes what LIKE would take for more than itself', () => {
    expect(bind('title.startsWith("x")', literal('10%_\\'))).toEqual(['10\\%\\_\\\\%']);
  });

  it('keeps numbers exact', () => {
    expect(bind('price == 9.99', literal('0.10', 'double'))).toEqual(['0.10']);
    expect(bind('big == -1', literal('9223372036854775808', 'int'))).toEqual(['-9223372036854775808']);
    expect(bind('approx == 0.5', literal('0.1', 'double'))).toEqual(['0.10000000149011612']);
  });

  it.each([
    ['at > timestamp("2024-01-01")', literal('nonsense'), 'bad-literal'],
    ['span > duration("1s")', literal('1 fortnight'), 'bad-literal'],
    ['title.matches("a")', literal('('), 'bad-literal'],
    ['title == "a"', literal('\0'), 'bad-literal'],
    ['title == "a"', literal('\ud800'), 'bad-literal'],
    ['big == 3000000000', literal('9223372036854775808', 'int'), 'bad-literal'],
  ])('names the place of a bad literal in the text of the request: %s', (text, bad, code) => {
    expect(() => bind(text, bad)).toThrow(
      expect.objectContaining({ code, position: expect.objectContaining({ start: 7, end: 9 }) }),
    );
  });
});
